"""How people stand while they do something: spine, head, feet, idle arms."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from rhobin.synthetic.interactions.motion import Params
from rhobin.synthetic.interactions.placed import Infeasible
from rhobin.synthetic.people.hands import set_curls
from rhobin.synthetic.people.limbs import FootTarget, ankle_of, ball_height, leg_length, place_foot
from rhobin.synthetic.people.pose import (
    COLLAR,
    ELBOW,
    HEAD,
    HIP,
    NECK,
    PELVIS,
    SHOULDER,
    SIGN,
    SPINE,
    WRIST,
    Pose,
    rot_x,
    rot_y,
    rot_z,
    unit,
)

_STRAIGHT = 0.985  # of the leg length: the straightest knees
_ANKLE_BEHIND = 0.11  # the ball of the foot before the middle of the support, metres, is half of this


def bend_torso(
    pose: Pose, p: Params, lean: float, twist: float | None = None, side: float | None = None
) -> None:
    """Tilt the trunk forward by `lean` radians (pelvis and spine), with twist, side bend and head on top."""
    twist = p.degrees("twist", -22, 22) if twist is None else twist
    side = p.degrees("side bend", -7, 7) if side is None else side
    share = p("pelvis share", 0.35, 0.6, sway=0.05)
    pose.theta[PELVIS] = rot_y(0.15 * twist) @ rot_x(share * lean) @ rot_z(0.4 * side)
    for joint, part in zip(SPINE, (0.4, 0.35, 0.25), strict=True):
        bent = rot_x(part * (1 - share) * lean) @ rot_z(0.2 * side)
        pose.theta[joint] = rot_y(0.28 * twist) @ bent
    pose.update()


def turn_head(pose: Pose, p: Params, target: np.ndarray | None = None) -> None:
    """Look around, and partly towards `target` (3,)."""
    yaw, pitch = p.degrees("head yaw", -35, 35, 0.35), p.degrees("head pitch", -12, 18, 0.3)
    if target is not None:
        away = pose.G[SPINE[2]].T @ unit(target - pose.joints[HEAD])
        interest = p("interest", 0.2, 1.0, 0.3)
        yaw = (1 - interest) * yaw + interest * np.clip(np.arctan2(away[0], abs(away[2]) + 0.2), -0.8, 0.8)
        pitch = (1 - interest) * pitch + interest * np.clip(-np.arcsin(away[1]) - 0.2, -0.4, 0.7)
    roll = p.degrees("head roll", -8, 8)
    pose.theta[NECK] = rot_y(0.4 * yaw) @ rot_x(0.45 * pitch)
    pose.theta[HEAD] = rot_y(0.6 * yaw) @ rot_x(0.55 * pitch) @ rot_z(roll)
    pose.update()


def stand(
    pose: Pose,
    p: Params,
    drop: float,
    stride: float,
    width: tuple[float, float] = (0.09, 0.2),
    splay: float = 0.0,
) -> None:
    """Put both feet on the floor under the body's weight, knees bent by lowering the pelvis by `drop`.

    Args:
        pose: torso already bent; arms are counted at rest.
        p: parameters.
        drop: metres below the straightest standing height.
        stride: the most that one foot is before the other, metres.
        width: range of half the distance between the feet, metres.
        splay: 0 for knees ahead, 1 for knees and toes well apart, as in a squat.

    Raises:
        Infeasible: the legs cannot reach.
    """
    centre = support_centre(pose)
    step = p("stride", -0.5, 0.5, 0.5) * stride
    half = p("stance", *width)
    feet = []
    for side in (0, 1):
        heel = max(0.0, -SIGN[side] * step - 0.08) * p("heel", 0.8, 2.2)
        x = centre[0] + SIGN[side] * half + p("shift x", -0.02, 0.02)
        z = centre[2] + 0.5 * _ANKLE_BEHIND + SIGN[side] * step + p("shift z", -0.03, 0.03)
        ball = np.array([x, ball_height(pose.figure, side), z])
        yaw = p.degrees(f"toe out {side}", 0, 25) + 0.35 * splay
        out = np.sin(yaw) + p(f"knees {side}", 0.02, 0.25) + 0.4 * splay
        pole = unit(np.array([SIGN[side] * out, 0.0, 1.0]))
        feet.append(FootTarget(ball, yaw, float(min(heel, 0.6)), pole))
    settle(pose, feet, drop)


def settle(pose: Pose, feet: list[FootTarget], drop: float) -> None:
    """Lower or raise the pelvis so that both legs reach the feet, then place them and touch the floor."""
    heights = []
    for side, foot in enumerate(feet):
        ankle = ankle_of(pose.figure, side, foot)
        hip = pose.joints[HIP[side]] - pose.pelvis
        across = np.hypot(*(ankle - hip - pose.pelvis)[[0, 2]])
        longest = _STRAIGHT * leg_length(pose.figure, side)
        if across > longest:
            raise Infeasible("a foot is out of reach")
        heights.append(ankle[1] - hip[1] + np.sqrt(longest**2 - across**2))
    pose.move(np.array([0.0, min(heights) - drop - pose.pelvis[1], 0.0]))
    for side, foot in enumerate(feet):
        place_foot(pose, side, foot)
    lowest = min(pose.skin("foot0")[:, 1].min(), pose.skin("foot1")[:, 1].min())
    pose.move(np.array([0.0, -lowest, 0.0]))


def support_centre(pose: Pose) -> np.ndarray:
    """Where (x, z) the feet must be for the weight of trunk, head and arms to lie over them."""
    j = pose.joints
    trunk = j[[PELVIS, *SPINE, NECK]].mean(axis=0)
    arms = 0.5 * j[[*SHOULDER]].mean(axis=0) + 0.5 * j[[*ELBOW]].mean(axis=0)
    hips = j[[*HIP]].mean(axis=0)
    upper = 0.5 * trunk + 0.08 * j[HEAD] + 0.1 * arms + 0.16 * hips
    return upper / 0.84


def plumb(pose: Pose, share: float) -> np.ndarray:
    """A frame (3, 3) that faces as the chest does but keeps only a `share` of its tilt."""
    chest = pose.G[SPINE[2]]
    level = rot_y(float(np.arctan2(chest[0, 2], chest[2, 2])))
    tilt = Rotation.from_matrix(level.T @ chest).as_rotvec()
    return level @ Rotation.from_rotvec(share * tilt).as_matrix()


def idle_arm(pose: Pose, side: int, p: Params) -> None:
    """Let an arm hang, bend it, or hold it out, with loosely curled fingers."""
    s = SIGN[side]
    style = p.choice(f"idle {side}", ("hang", "hang", "bent", "out"))
    down = {"hang": (68, 78), "bent": (58, 74), "out": (25, 65)}[style]
    flex = {"hang": (8, 35), "bent": (40, 115), "out": (10, 80)}[style]
    forward = {"hang": (-12, 22), "bent": (-15, 35), "out": (-10, 60)}[style]
    pose.theta[COLLAR[side]] = np.eye(3)
    fall = p.degrees(f"arm down {side}", *down)
    swing = p.degrees(f"arm forward {side}", *forward, sway=0.4)
    roll = p.degrees(f"arm roll {side}", -15, 30)
    bend = p.degrees(f"elbow {side}", *flex, sway=0.35)
    pose.update()
    upright = plumb(pose, 0.3)
    pose.set_global(SHOULDER[side], upright @ rot_x(-swing) @ rot_z(-s * fall) @ rot_x(-roll))
    turn = p.degrees(f"forearm {side}", -20, 50)
    pose.theta[ELBOW[side]] = rot_y(-s * bend) @ rot_x(-0.5 * turn)
    wrist = rot_x(-0.5 * turn) @ rot_z(-s * p.degrees(f"wrist bend {side}", -15, 25))
    pose.theta[WRIST[side]] = wrist @ rot_y(s * p.degrees(f"wrist side {side}", -10, 10))
    relax_fingers(pose, side, p)


def relax_fingers(pose: Pose, side: int, p: Params, low: float = 8, high: float = 40) -> None:
    """Curl the fingers of a free hand loosely, each its own way, `low` to `high` degrees a joint."""
    common = p(f"curl {side}", low, high, 0.3)
    own = [p(f"curl {side} {finger}", -6, 10) + 3 * (finger if finger < 4 else 0) for finger in range(5)]
    set_curls(pose, side, [float(np.radians(max(2.0, common + o))) for o in own])
