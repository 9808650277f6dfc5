"""PHOSA as a method: each view is optimised by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rhobin.assets import Assets
from rhobin.body.from_joints import pose_body
from rhobin.geometry.silhouette import RigidMesh
from rhobin.methods.phosa.parts import part_vertices, touching
from rhobin.methods.phosa.people import Guess, guesses_of, hash_of, turned
from rhobin.methods.phosa.place import place_by_box
from rhobin.methods.phosa.region import box_of, region_about, seen
from rhobin.methods.phosa.scene import Pose, Scene, SceneSettings, descend, start_pose
from rhobin.methods.phosa.start import Shape, StartSettings, find_pose
from rhobin.methods.untrained import Untrained
from rhobin.types import Batch, HumanPrediction, ObjectPrediction, Prediction, SampleKey, to_device

PERSON, OBJECT = 3, 4
"""Planes of the image that hold the masks."""

FRAME = 640  # paper (released code): width of the images in which depths are compared


class Phosa(Untrained):
    """Perceiving 3D human-object spatial arrangements, with metric templates and a known camera.

    Args:
        assets: body models and object templates.
        initial: the people to start from: "mean", a run folder, or a BEHAVE root; see `guesses_of`.
        start: keys of `StartSettings`.
        scene: keys of `SceneSettings`.
        region: width in pixels of the square in which silhouettes are compared.
        padding: share of the longer side of the object's box that the square is wider.
    """

    name, title = "phosa", "PHOSA"
    paper = "Zhang et al., Perceiving 3D Human-Object Spatial Arrangements from a Single Image, ECCV 2020"
    initial_hash: Tensor

    def __init__(
        self,
        assets: Assets,
        initial: str,
        start: Mapping[str, Any],
        scene: Mapping[str, Any],
        region: int,
        padding: float,
    ) -> None:
        super().__init__()
        self.bodies, self.names, self.templates = assets.bodies, assets.names, assets.templates
        self.start, self.scene = StartSettings(**start), SceneSettings(**scene)
        self.region, self.padding = region, padding
        self.initial, self.guesses = initial, guesses_of(initial)
        self.found_hash = hash_of(self.guesses)
        self.register_buffer("initial_hash", self.found_hash.clone())
        self.parts = part_vertices(assets.bodies)
        self.shapes: dict[int, Shape] = {}

    def decode(self, output: None, batch: Batch) -> Prediction:
        """Body and object of each view, metres, frame of the crops' camera.

        The extras `objective_before` and `objective_after` (B,) are the objective of person and object
        together where its descent begins and ends.

        Raises:
            ValueError: the people to start from are not those that the run was made with, or there are none.
        """
        self.check_initial()
        with torch.inference_mode(False), torch.enable_grad():
            found = [self._one(batch, row) for row in range(len(batch))]
        parts = [
            {name: torch.stack([one[k][name] for one in found]) for name in found[0][k]} for k in range(3)
        ]
        told = Prediction(HumanPrediction(**parts[0]), ObjectPrediction(**parts[1]), parts[2])
        return to_device(told, batch.image.device)

    def check_initial(self) -> None:
        """Refuse results that changed since the run was made.

        Raises:
            ValueError: naming them.
        """
        if not torch.equal(self.initial_hash.cpu(), self.found_hash):
            raise ValueError(
                f"the people in model.initial={self.initial} are not those that this run was made with. Make "
                "the run again: python train.py experiment=phosa/synthetic resume=afresh, with its settings"
            )

    def shape(self, object_id: int) -> Shape:
        """The template of an object, ready to be drawn."""
        if object_id not in self.shapes:
            template = self.templates[object_id]
            self.shapes[object_id] = Shape.of(template.verts, template.faces)
        return self.shapes[object_id]

    def _one(self, batch: Batch, row: int) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
        """The person, the object and the objective of one view."""
        image, K, gender = (value[row].cpu().clone() for value in (batch.image, batch.K_crop, batch.gender))
        person, obj = seen(image[PERSON]), seen(image[OBJECT])
        turn, object_id = batch.turn[row].cpu().clone(), int(batch.object_id[row])
        theta, beta, trans, verts = self._body(batch.keys[row], gender, turn, person, K)
        shape, box = self.shape(object_id), box_of(obj)
        about = box if box is not None else _whole(image)
        region = region_about(about, person, obj, K, self.padding, self.region, self.start.kernel)
        if box is None:  # wholly hidden: at the person's middle
            pose = start_pose(torch.eye(3), verts.mean(0))
        else:
            pose = start_pose(*find_pose(shape, region, box, K, self.start))
        faces = self.bodies.faces.cpu().numpy()
        area = (FRAME * float(batch.window[row, 2]) / image.shape[-1]) ** 2
        scene = Scene(
            shape,
            verts,
            RigidMesh(verts.double().numpy(), faces),
            {name: self.parts[name] for name in touching(self.names[object_id])},
            region,
            torch.stack((person, obj)),
            K,
            area,
            pose,
            self.scene,
        )
        best, before, after = descend(scene, pose, self.scene)
        human = {"theta": theta, "beta": beta, "trans": trans}
        objective = {"objective_before": torch.tensor(before), "objective_after": torch.tensor(after)}
        return human, told_object(best), objective

    def _body(
        self, key: SampleKey, gender: Tensor, turn: Tensor, mask: Tensor, K: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Rotations, shape, translation and vertices of the person to start from."""
        guess = self._mean(gender) if self.guesses is None else self.guesses(key, gender, self.bodies)
        device = self.mean_beta.device
        theta, beta, trans = turned(guess, turn, gender, self.bodies)
        place = torch.zeros(3) if trans is None else trans
        posed = [value[None].to(device) for value in (theta, beta, place, gender)]
        verts = self.bodies(*posed).verts[0].cpu()
        if trans is None:
            box = box_of(mask)
            box = _whole(mask) if box is None else box
            middle = verts.mean(0)
            trans = place_by_box((verts - middle)[None], box, K)[0] - middle
            verts = verts + trans
        return theta, beta, trans, verts

    def _mean(self, gender: Tensor) -> Guess:
        """The training views' mean body, facing as people do on average."""
        joints = self.mean_joints @ self.mean_facing.mT
        beta, twist, whose = self.mean_beta, self.mean_twist, gender.to(joints.device)
        theta = pose_body(joints[None], beta[None], twist[None], whose[None], self.bodies)[0][0]
        return theta.cpu(), beta.cpu(), None


def told_object(pose: Pose) -> dict[str, Tensor]:
    """The object beside a person of the size that the body model gives.

    Body parameters have no size, and a scene that is smaller by the person's is seen alike: so the object,
    not the person, is told smaller. Its scale multiplies after its translation.
    """
    return {"R": pose.turn.detach(), "t": pose.t / pose.scale, "scale": pose.scale / pose.person}


def _whole(image: Tensor) -> Tensor:
    """The box (4,) of a whole image (..., H, W)."""
    height, width = image.shape[-2:]
    return torch.tensor([-0.5, -0.5, width - 0.5, height - 0.5])
