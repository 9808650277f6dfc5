"""Rendering objects into a root: in parts, by any number of processes and machines, stopped and continued.

Each picture is a function of the settings, the object and its number alone. A part is complete when its poses
are written, which happens last; others are made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rhobin.behave.renders import PART, is_part, part_folder, part_indices, write_part
from rhobin.behave.root_templates import root_templates
from rhobin.objects.template import Template
from rhobin.pool import finished, task_pool
from rhobin.synthetic.renders.blender import BlenderRenderer, check_bpy
from rhobin.synthetic.renders.claim import RenderSettings, claim, note_finished
from rhobin.synthetic.renders.embree import EmbreeRenderer
from rhobin.synthetic.renders.look import draw_look
from rhobin.synthetic.renders.picture import Renderer, write_picture
from rhobin.synthetic.renders.poses import posed_views, stream
from rhobin.synthetic.renders.skin import Skin, skin_of

Part = tuple[str, int]
"""A unit of work: object and number of the part."""
RENDERERS: dict[str, Callable[[Template, Skin | None], Renderer]] = {
    "embree": EmbreeRenderer,
    "blender": BlenderRenderer,
}
Notify = Callable[[int], None]
"""Called with how many more pictures are done."""


@dataclass(frozen=True)
class RenderPlan:
    """What is to be rendered.

    Attributes:
        out: root to write.
        settings: what decides the pictures.
        todo: parts that are not complete.
        kept: pictures of this shard that were there before.
    """

    out: Path
    settings: RenderSettings
    todo: tuple[Part, ...]
    kept: int

    @property
    def pictures(self) -> int:
        """How many pictures there are to make."""
        return sum(len(part_indices(number, self.settings.count)) for _, number in self.todo)


def plan_renders(
    out: Path,
    settings: RenderSettings,
    objects: Sequence[str] = (),
    root: Path | None = None,
    shard: tuple[int, int] = (1, 1),
) -> RenderPlan:
    """Give a root its settings and templates, and see what is still to be rendered.

    Args:
        out: root to write; one that was begun goes on where it was.
        settings: what is rendered.
        objects: names of the objects; all of them by default.
        root: where templates come from, a folder with `objects/`; the built-in ones by default.
        shard: (i, n) takes every n-th part from the i-th, counted from 1.

    Raises:
        FileNotFoundError: `root` has no templates.
        ValueError: `out` holds renders of other settings or templates, there is no object of that name, or
            the renderer is not installed.
    """
    if settings.renderer == "blender":
        check_bpy()
    templates = claim(Path(out), settings, root)
    for name in objects:
        if name not in templates:
            raise ValueError(
                f"there is no object {name!r} (--objects); expected any of {', '.join(templates)}"
            )
    names, numbers = objects or tuple(templates), range(-(-settings.count // PART))
    # the first parts of all objects come first: a build that was stopped knows every object
    parts = [(name, number) for number in numbers for name in names][shard[0] - 1 :: shard[1]]
    todo = tuple(part for part in parts if not is_part(part_folder(out, *part)))
    done = sum(len(part_indices(number, settings.count)) for _, number in {*parts} - {*todo})
    return RenderPlan(Path(out), settings, todo, done)


def build_renders(plan: RenderPlan, workers: int = 0, notify: Notify = lambda count: None) -> float:
    """Render what a plan asks for; returns seconds of the processor, over all processes.

    Args:
        plan: from `plan_renders`.
        workers: processes; 0 works in this one. The files are the same for any number.
        notify: told of progress.
    """
    total = 0.0
    with task_pool(workers) as submit:
        for count, seconds in finished(
            submit(make_part, plan.out, plan.settings, part) for part in plan.todo
        ):
            total += seconds
            notify(count)
    note_finished(plan.out, plan.settings)
    return total


def make_part(out: Path, settings: RenderSettings, part: Part) -> tuple[int, float]:
    """Render one part in this process; returns how many pictures, and seconds of the processor."""
    start = time.process_time()
    template = _templates(out)[part[0]]
    renderer = RENDERERS[settings.renderer](template, skin_of(out, template))
    folder = part_folder(out, *part)
    folder.mkdir(parents=True, exist_ok=True)
    indices = part_indices(part[1], settings.count)
    views = posed_views(template, settings.poses, settings.seed, settings.size, indices)
    for index, R, t, K in zip(indices, views.R, views.t, views.K, strict=True):
        rng = stream(settings.seed, template.name, index, 1)
        look = draw_look(rng, t)
        write_picture(folder, index, renderer.render(R, t, K, settings.size, look, rng))
    write_part(folder, views)
    return len(indices), time.process_time() - start


@lru_cache(maxsize=1)
def _templates(out: Path) -> dict[str, Template]:
    return root_templates(out)
