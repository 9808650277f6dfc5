"""The object's coordinates, regions and masks in a crop, ray-cast in the crop's own camera."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from rhobin.data.images.crops import MASK_THRESHOLD
from rhobin.geometry.camera import resize_intrinsics
from rhobin.geometry.raycast import Scene, camera_rays
from rhobin.objects.nocs import SHAPES, nocs_box, to_nocs
from rhobin.objects.regions import FaceRegions, farthest_points
from rhobin.objects.template import Template
from rhobin.types import ObjectMaps

_NEAR = 0.01  # metres; a box that reaches nearer the camera has no bounded outline


@dataclass(frozen=True)
class MapConfig:
    """How object maps are drawn.

    Attributes:
        stride: input pixels a map pixel is wide.
        regions: surface regions of a template.
        nocs: normalise coordinates by the template's "box", or by the "cube" about it.
    """

    stride: int = 4
    regions: int = 64
    nocs: str = "box"

    def __post_init__(self):
        if self.nocs not in SHAPES:
            raise ValueError(f"data.targets.maps.nocs is {self.nocs!r}; expected one of {', '.join(SHAPES)}")
        if self.regions < 1:
            raise ValueError(f"data.targets.maps.regions is {self.regions}; expected at least 1")


@dataclass(frozen=True)
class _Shape:
    """What drawing needs of a template: rays meet `scene`, coordinates are counted in `box`."""

    scene: Scene
    box: np.ndarray
    corners: np.ndarray
    regions: FaceRegions


class ObjectMapper:
    """Draws object maps; each template's acceleration structure is built once in every process."""

    def __init__(self, templates: Mapping[int, Template], config: MapConfig):
        """Configure.

        Args:
            templates: object templates by id.
            config: how to draw.

        Raises:
            ValueError: a template has fewer vertices than regions.
        """
        for template in templates.values():
            if len(template.verts) < config.regions:
                raise ValueError(
                    f"data.targets.maps.regions is {config.regions}, but {template.name} has "
                    f"{len(template.verts)} vertices"
                )
        self.templates, self.config = templates, config
        self._shapes: dict[int, _Shape] = {}
        self._process = os.getpid()

    def __reduce__(self):
        return type(self), (self.templates, self.config)

    def __call__(
        self, object_id: int, R: np.ndarray, t: np.ndarray, K_crop: np.ndarray, mask: np.ndarray
    ) -> ObjectMaps:
        """Draw the maps of one crop.

        Visible is what the object mask of the image says, as in GDR-Net, of the pixels that show the
        object's surface: no second opinion from the body model, which knows neither clothes nor hair.

        Args:
            object_id: the object's id.
            R: (3, 3) its rotation, template to camera.
            t: (3,) its translation, metres.
            K_crop: (3, 3) intrinsics of the crop.
            mask: (H, W) uint8, 255 where the crop shows the object; the maps are 1 / stride as wide.

        Returns:
            Maps without a batch axis.
        """
        shape, stride = self._shape(object_id), self.config.stride
        size = mask.shape[1] // stride
        K = resize_intrinsics(K_crop, 1 / stride, 1 / stride)
        nocs = np.full((3, size, size), 0.5, np.float32)
        region = np.zeros((size, size), np.int64)
        bounds = _bounds(shape.corners @ R.T + t, K, size)
        if bounds is not None:
            _fill(nocs, region, bounds, shape, R, t, K)
        amodal = region > 0
        shown = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA) > MASK_THRESHOLD
        return ObjectMaps(
            nocs=torch.from_numpy(nocs),
            region=torch.from_numpy(region),
            amodal=torch.from_numpy(amodal.astype(np.float32)),
            visible=torch.from_numpy((shown & amodal).astype(np.float32)),
            box=torch.from_numpy(shape.box.astype(np.float32)),
            K=torch.from_numpy(K.astype(np.float32)),
        )

    def _shape(self, object_id: int) -> _Shape:
        if self._process != os.getpid():  # Embree's scenes do not survive a fork
            self._shapes, self._process = {}, os.getpid()
        if object_id not in self._shapes:
            template, config = self.templates[object_id], self.config
            low, high = template.verts.min(axis=0), template.verts.max(axis=0)
            corners = np.stack(np.meshgrid(*zip(low, high, strict=True)), axis=-1).reshape(8, 3)
            centres = template.verts[farthest_points(template.verts, config.regions)]
            self._shapes[object_id] = _Shape(
                scene=Scene([(template.verts, template.faces)], robust=True),
                box=nocs_box(template.verts, config.nocs),
                corners=corners,
                regions=FaceRegions(template.verts, template.faces, centres),
            )
        return self._shapes[object_id]


def _fill(
    nocs: np.ndarray,
    region: np.ndarray,
    bounds: tuple[int, int, int, int],
    shape: _Shape,
    R: np.ndarray,
    t: np.ndarray,
    K: np.ndarray,
) -> None:
    """Cast rays through a rectangle of the grid, in the template's frame, and note what they meet."""
    x0, y0, x1, y1 = bounds
    size = region.shape[0]
    rays, eye = camera_rays(K @ R, size, size, bounds).reshape(-1, 3), -t @ R
    hits = shape.scene.cast(eye, rays)
    met = np.flatnonzero(hits.geom_id >= 0)
    points = eye[:, None] + rays.T.take(met, axis=1) * hits.distance.take(met)
    labels, places = np.zeros(len(rays), np.int64), np.full((3, len(rays)), 0.5, np.float32)
    labels[met] = shape.regions(points.T, hits.prim_id.take(met))
    places[:, met] = to_nocs(points.T, shape.box).T.clip(0, 1)
    region[y0:y1, x0:x1] = labels.reshape(y1 - y0, x1 - x0)
    nocs[:, y0:y1, x0:x1] = places.reshape(3, y1 - y0, x1 - x0)


def _bounds(corners: np.ndarray, K: np.ndarray, size: int) -> tuple[int, int, int, int] | None:
    """Columns and rows (x0, y0, x1, y1) that a box (8, 3) can cover, ends excluded; None for none."""
    if corners[:, 2].min() < _NEAR:
        return (0, 0, size, size) if corners[:, 2].max() > 0 else None
    pixels = corners @ K.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    x0, y0 = np.clip(np.floor(pixels.min(axis=0)), 0, size).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(pixels.max(axis=0)) + 1, 0, size).astype(int).tolist()
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
