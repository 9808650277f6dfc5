"""`rhobin preview` from the command line to the picture."""

import cv2
import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.engine.build import build_datamodule
from rhobin.engine.compose import compose_config
from rhobin.engine.preview import preview_rows

SMALL = ["experiment=khor/smoke", "data.workers=0"]


def test_the_command_writes_a_picture_and_prints_its_path(tree, tmp_path, capsys):
    out = tmp_path / "new" / "sheet.png"
    arguments = ["preview", *SMALL, "--samples", "2", f"data.root={tree}", "--epochs", "3", "--out", str(out)]
    everything = ["data.augment.colour_set=g2dr", "data.augment.background_p=1", "data.augment.occluder.p=1"]
    assert (
        main(
            [
                *arguments,
                *everything,
                "data.augment.truncate_p=0.5",
                "model.reads.targets=[heatmaps,maps,bev]",
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == f"{out}\n"
    picture = cv2.imread(str(out))
    assert picture.shape[1] == 4 * 310 + 10
    assert picture.shape[0] > 2 * 300
    tiles = [picture[40:300, 10 + 310 * column : 310 * (column + 1)] for column in range(4)]
    assert all(tile.std() > 20 for tile in tiles)
    assert all(np.abs(tiles[0].astype(int) - tile).mean() > 3 for tile in tiles[1:])


def test_it_shows_what_training_sees(tree):
    config = compose_config([*SMALL, f"data.root={tree}", "data.augment.truncate_p=1"])
    datamodule = build_datamodule(config)
    rows = preview_rows(datamodule.train_dataset, config.data.seed, 3, range(2, 4))
    batch = next(iter(datamodule.train_dataloader()))
    first = preview_rows(datamodule.train_dataset, config.data.seed, batch.image.shape[0], range(1))
    assert [row[0].sample.key for row in first] == batch.keys
    assert all(np.array_equal(r[1].sample.image, image) for r, image in zip(first, batch.image, strict=True))
    assert [[tile.title for tile in row] for row in rows] == [["plain", "epoch 2", "epoch 3"]] * 3
    assert all("cut " in ", ".join(row[1].notes) for row in rows)


def test_without_augmentation_there_is_one_column(tree):
    datamodule = build_datamodule(compose_config([*SMALL, f"data.root={tree}", "data.augment=null"]))
    assert [len(row) for row in preview_rows(datamodule.train_dataset, 0, 2, range(3))] == [1, 1]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("data.root=nowhere", "rhobin synth --out nowhere"),
        ("data.augment.occluder.kinds=[cat]", "data.augment.occluder.kinds names 'cat'"),
        ("+data.augment.blur=1", "data.augment.blur is not a setting"),
        ("data.augment.blur=1", "blur"),
        ("experiment=khor/nothing", "khor/nothing"),
    ],
)
def test_mistakes_are_explained_in_one_message(tree, tmp_path, capsys, override, message):
    arguments = [*SMALL, f"data.root={tree}", override, "--out", str(tmp_path / "x.png")]
    assert main(["preview", *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert message in said
    assert "Traceback" not in said
    assert not (tmp_path / "x.png").exists()


def test_a_missing_background_folder_is_named(tree, tmp_path, capsys):
    options = ["data.augment.background_p=1", f"data.augment.background_from={tmp_path}/coco"]
    assert main(["preview", *SMALL, f"data.root={tree}", *options]) == 1
    assert f"there is no folder {tmp_path}/coco" in capsys.readouterr().err
