"""What `rhobin export` does not write, and what `rhobin predict` does not open."""

import json
import shutil
from pathlib import Path

import pytest
from behave_tree import make_tree
from safetensors.torch import load_file, save_file

from rhobin.__main__ import main
from rhobin.engine.exported import file_hash
from rhobin.engine.photo_network import open_network
from rhobin.files import read_sealed, write_sealed


@pytest.fixture(scope="module")
def sound(reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "khor"
    assert main(["export", str(reference), str(folder)]) == 0
    return folder


@pytest.fixture
def export(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "export"))


def refused(capsys, *arguments):
    assert main(["export", *map(str, arguments)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def sealed_again(folder, **changes):
    """As somebody would who knows the seal."""
    card = read_sealed(folder / "card.json")
    files = {name: file_hash(folder / name) for name in card["files"]}
    write_sealed(folder / "card.json", card | {"files": files} | changes)


def test_a_folder_with_other_things_is_left_alone(reference, sound, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    error = refused(capsys, reference, tmp_path)
    assert "expected a new or empty folder, found notes.txt" in error
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "found README.md, card.json, config.yaml and more" in refused(capsys, reference, sound)
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    assert main(["export", str(reference), str(tmp_path / "clone")]) == 0


def test_runs_that_lack_something_are_refused_before_anything_is_written(reference, sound, tmp_path, capsys):
    out = tmp_path / "out"
    run = Path(shutil.copytree(reference, tmp_path / "run"))
    assert "is an export already" in refused(capsys, sound, out)
    assert "is not a run folder" in refused(capsys, tmp_path, out)
    other = make_tree(tmp_path / "other", frames=1)
    assert "not what the run was trained on" in refused(capsys, run, out, "--data", other)
    assert "--data ROOT" in refused(capsys, run, out, "--data", tmp_path / "nowhere")
    (run / "checkpoints" / "best.ckpt").unlink()
    assert "best.ckpt is missing; expected a checkpoint" in refused(capsys, run, out)
    config = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(config.replace("rhobin.nets.lite.Lite", "os.system"))
    assert "names os.system" in refused(capsys, run, out)
    assert not out.exists()


def test_changed_weights_are_refused_with_both_hashes(export):
    before, path = file_hash(export / "model.safetensors"), export / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    told = rf"changed after the export: expected {before}.*found {file_hash(path)}.*Copy or download"
    with pytest.raises(ValueError, match=told):
        open_network(export)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "model.safetensors is missing"),
        (lambda folder: (folder / "config.yaml").open("a").write("more: 1\n"), "config.yaml was changed"),
        (lambda folder: (folder / "joint_calibration.json").write_text("{}"), "expected no such file"),
        (lambda folder: (folder / "card.json").open("a").write(" x"), "card.json was changed"),
        (lambda folder: sealed_again(folder, schema=9, rhobin="9.1"), "found 9, written by rhobin 9.1"),
        (lambda folder: sealed_again(folder, step=None), "lacks step"),
    ],
)
def test_other_changes_are_refused(export, change, message):
    change(export)
    with pytest.raises((ValueError, FileNotFoundError), match=message) as refusal:
        open_network(export)
    assert "rhobin export RUN DIR" in str(refusal.value)


def test_a_config_with_foreign_classes_is_refused_even_under_a_seal(export):
    config = (export / "config.yaml").read_text()
    (export / "config.yaml").write_text(config.replace("rhobin.nets.lite.Lite", "os.system"))
    sealed_again(export)
    with pytest.raises(ValueError, match=r"names os\.system in model\.net\.backbone"):
        open_network(export)


def test_weights_of_another_network_are_refused(export):
    path = export / "model.safetensors"
    tensors = load_file(path)
    tensors.pop("net.beta.bias")
    save_file(tensors, path)
    sealed_again(export)
    with pytest.raises(ValueError, match=r"does not fit the network.*net\.beta\.bias.*Install that version"):
        open_network(export)
    path.write_bytes(b"no tensors")
    sealed_again(export)
    with pytest.raises(ValueError, match="not readable as safetensors"):
        open_network(export)


def test_the_other_checkpoint_is_not_there(export, capsys):
    with pytest.raises(ValueError, match=r"export of the best checkpoint.*--checkpoint last"):
        open_network(export, "last")
    assert open_network(export).origin["run"] == json.loads((export / "card.json").read_text())["run"]
