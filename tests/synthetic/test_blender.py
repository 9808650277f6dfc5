"""The Blender renderer: against Embree's where `bpy` is installed, and what is said where it is not."""

import importlib.util
import sys

import numpy as np
import pytest

from rhobin.__main__ import main
from rhobin.objects.load import load_templates
from rhobin.synthetic.renders import blender, build
from rhobin.synthetic.renders.embree import EmbreeRenderer
from rhobin.synthetic.renders.look import draw_look
from rhobin.synthetic.renders.picture import Picture
from rhobin.synthetic.renders.poses import posed_views, stream

SIZE = 64


def test_without_bpy_the_command_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "bpy", None)
    assert main(["synth-objects", "--out", str(tmp_path / "out"), "--renderer", "blender"]) == 1
    said = capsys.readouterr().err
    assert "pip install 'rhobin[blender]'" in said
    assert "--renderer embree, the default, makes the same files without it" in said
    assert not (tmp_path / "out").exists()


def test_both_renderers_get_the_same_poses_and_write_the_same_files(tmp_path, monkeypatch):
    asked = {}

    def fake(kind):
        class Fake:
            def __init__(self, template, skin):
                self.name = template.name

            def render(self, R, t, K, size, look, rng):
                asked.setdefault(kind, []).append((self.name, R, t, K, size, look.exposure))
                return Picture(
                    *(np.zeros((size, size, *c), d) for c, d in (((3,), "u1"), ((), "u1"), ((3,), "u2")))
                )

        return Fake

    monkeypatch.setattr(build, "RENDERERS", {kind: fake(kind) for kind in ("embree", "blender")})
    monkeypatch.setattr(build, "check_bpy", lambda: None)
    files = []
    for kind in ("embree", "blender"):
        settings = build.RenderSettings(kind, count=3, size=SIZE)
        build.build_renders(build.plan_renders(tmp_path / kind, settings, ("stool",)))
        files.append(sorted(p.relative_to(tmp_path / kind) for p in (tmp_path / kind).rglob("*")))
    assert files[0] == files[1]
    for first, second in zip(asked["embree"], asked["blender"], strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["chairwood", "boxtiny"])
def test_blender_and_embree_agree(name, monkeypatch):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("the extra blender is not installed")
    template = load_templates()[name]
    views = posed_views(template, "uniform", 0, SIZE, range(3))
    monkeypatch.setattr(sys, "path", [*sys.path])
    embree, other = EmbreeRenderer(template), blender.BlenderRenderer(template)
    for index in range(3):
        pictures = []
        for renderer in (embree, other):
            rng = stream(0, name, index, 1)
            look = draw_look(rng, views.t[index])
            pose = (views.R[index], views.t[index], views.K[index])
            pictures.append(renderer.render(*pose, SIZE, look, rng))
        masks = [picture.mask > 0 for picture in pictures]
        both = masks[0] & masks[1]
        assert both.sum() >= 0.99 * (masks[0] | masks[1]).sum()
        apart = np.abs(pictures[0].nocs[both].astype(float) - pictures[1].nocs[both]) / 65535
        assert np.quantile(apart, 0.99) < 0.02
        first, second = (picture.color[both].mean() for picture in pictures)
        assert second == pytest.approx(first, rel=0.35)


def test_processes_find_blender_as_this_one_does(tmp_path):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("the extra blender is not installed")
    settings = build.RenderSettings("blender", count=1, size=32)
    build.build_renders(build.plan_renders(tmp_path / "out", settings, ("boxtiny",)), workers=1)
    assert (tmp_path / "out" / "renders" / "boxtiny" / "00000" / "poses.npz").is_file()
