"""From the plan of a sequence to its frames: solve, check the limits, retry, place in the room."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.body.bodyset import BodySet
from rhobin.body.model import BodyModel
from rhobin.objects.template import Template
from rhobin.synthetic.interactions.contact import Measured, Solved, measure
from rhobin.synthetic.interactions.motion import MotionPath, Params
from rhobin.synthetic.interactions.placed import Infeasible
from rhobin.synthetic.interactions.table import INTERACTIONS, Interaction
from rhobin.synthetic.people import regions
from rhobin.synthetic.people.figure import Figure
from rhobin.synthetic.people.pose import rot_y
from rhobin.synthetic.people.subjects import SUBJECTS
from rhobin.synthetic.plan import SequencePlan
from rhobin.synthetic.scene import ContactReport, SceneFrame

GAP_LIMIT, SELF_LIMIT, FLOOR_LIMIT = 0.008, 0.015, 0.004  # metres
_PACE = 8.0  # frames (seconds) for one unit of a path's time
_NUDGES, _PATHS = 6, 200  # tries for a frame, and for a whole sequence


def generate_sequence(
    plan: SequencePlan, bodies: BodySet, templates: Mapping[str, Template]
) -> list[SceneFrame]:
    """The frames of one sequence, in the room frame: one smooth motion, every frame within the limits.

    Args:
        plan: what to make; the result is a function of its seed and of the bodies and templates.
        bodies: male and female body models.
        templates: objects by name, with analytic distances.

    Returns:
        `plan.n_frames` frames.

    Raises:
        ValueError: unknown action, subject or object, or no motion within the limits could be found.
    """
    interaction = _interaction(plan)
    subject = SUBJECTS[plan.subject]
    figure = _figure(bodies.models[subject.gender], plan.subject)
    template = templates[plan.object_name]
    tries = 0
    for attempt in range(_PATHS):
        path = MotionPath((plan.seed, attempt))
        frames: list[SceneFrame] = []
        for index in range(plan.n_frames):
            time = index / _PACE
            found = None
            for nudge in range(_NUDGES if frames else 1):
                tries += 1
                found = _try(figure, template, interaction, path.at(time, nudge))
                if found is not None:
                    break
            if found is None:
                break
            frames.append(_frame(plan, interaction, path.at(time), index, *found, tries))
            tries = 0
        if len(frames) == plan.n_frames:
            return frames
    raise ValueError(
        f"{plan.name}: no motion of {plan.n_frames} frames within the contact limits in {_PATHS} attempts; "
        "change the plan's seed or its subject"
    )


def _interaction(plan: SequencePlan) -> Interaction:
    if plan.action not in INTERACTIONS:
        raise ValueError(
            f"{plan.name}: unknown action {plan.action!r}; known: {', '.join(sorted(INTERACTIONS))}"
        )
    interaction = INTERACTIONS[plan.action]
    if plan.object_name not in interaction.objects:
        known = ", ".join(sorted(interaction.objects))
        raise ValueError(
            f"{plan.name}: nobody does {plan.action!r} with {plan.object_name!r}; known: {known}"
        )
    if plan.subject not in SUBJECTS:
        raise ValueError(f"{plan.name}: unknown subject {plan.subject!r}; known: {', '.join(SUBJECTS)}")
    return interaction


@lru_cache(maxsize=16)
def _figure(model: BodyModel, subject: str) -> Figure:
    return regions.prepare(Figure(model, SUBJECTS[subject].betas))


def _try(
    figure: Figure, template: Template, interaction: Interaction, p: Params
) -> tuple[Solved, Measured] | None:
    try:
        solved = interaction.solve(figure, template, p, interaction.objects[template.name])
    except Infeasible:
        return None
    measured = measure(solved)
    within = (
        measured.depth <= solved.depth_limit
        and measured.gap <= GAP_LIMIT
        and measured.self_depth <= SELF_LIMIT
        and abs(measured.floor) <= FLOOR_LIMIT
        and measured.object_floor >= -FLOOR_LIMIT
    )
    return (solved, measured) if within else None


def _frame(
    plan: SequencePlan,
    interaction: Interaction,
    p: Params,
    index: int,
    solved: Solved,
    measured: Measured,
    tries: int,
) -> SceneFrame:
    pose, thing = solved.pose, solved.thing
    turn, shift = _to_room(interaction, p, solved)
    theta = pose.theta.copy()
    theta[0] = turn @ theta[0]
    report = ContactReport(
        contacts=tuple(c.name for c in solved.contacts),
        depth_mm=1e3 * measured.depth,
        gap_mm=1e3 * measured.gap,
        self_mm=1e3 * measured.self_depth,
        floor_mm=1e3 * measured.floor,
        tries=tries,
    )
    return SceneFrame(
        index=index,
        kind=interaction.kind,
        gender=SUBJECTS[plan.subject].gender,
        pose=Rotation.from_matrix(theta).as_rotvec().reshape(-1),
        betas=SUBJECTS[plan.subject].betas.copy(),
        trans=turn @ pose.pelvis + shift - pose.figure.joints[0],
        object_name=plan.object_name,
        obj_R=turn @ thing.R,
        obj_t=turn @ thing.t + shift,
        report=report,
    )


def _to_room(interaction: Interaction, p: Params, solved: Solved) -> tuple[np.ndarray, np.ndarray]:
    """Rotation about the vertical and floor shift from the person's frame to the room."""
    spot = np.array([p("room x", -0.45, 0.45, 0.3), 0.0, p("room z", -0.45, 0.45, 0.3)])
    if not interaction.rests:
        turn = rot_y(p.turn("heading", 1.3))
        return turn, spot - turn @ (solved.pose.pelvis * [1, 0, 1])
    thing = solved.thing
    still = p.still()
    facing = np.arctan2(thing.R[0, 2], thing.R[2, 2])
    turn = rot_y(still.turn("heading", 0.0) - facing)
    spot = np.array([still("room x", -0.35, 0.35), 0.0, still("room z", -0.35, 0.35)])
    return turn, spot - turn @ (thing.t * [1, 0, 1])
