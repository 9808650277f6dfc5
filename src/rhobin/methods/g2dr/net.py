"""G2DR's network: dense geometry of the object's crop, and Patch-PnP on it (report sec. 3.1.1, GDR-Net)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from rhobin.nets.geometry_head import OutputLayer

UPRIGHT = (1.0, 0.0, 0.0, 0.0, -1.0, 0.0)  # an object that stands upright and faces the camera
AHEAD = (0.0, 0.0, 1.0)  # in the crop's middle, one unit of depth away (`decode.site_frame`)


class G2drOutput(NamedTuple):
    """Raw predictions of a batch, on maps of h x w pixels.

    Attributes:
        visible: (B, h, w) visible mask, regressed: about 0 or 1.
        amodal: (B, h, w) mask of the whole object likewise; None without that head.
        nocs: (B, 3, h, w) place in the template's box, as in `ObjectMaps`.
        region: (B, 1 + R, h, w) scores of the background and of R regions.
        rot6d: (B, 6) first two columns of the allocentric rotation.
        site: (B, 3) the object's origin: see `rhobin.methods.g2dr.decode.decode_pose`.
    """

    visible: Float[Tensor, "B h w"]
    amodal: Float[Tensor, "B h w"] | None
    nocs: Float[Tensor, "B 3 h w"]
    region: Float[Tensor, "B R h w"]
    rot6d: Float[Tensor, "B 6"]
    site: Float[Tensor, "B 3"]


class G2drNet(nn.Module):
    """Masks, coordinates and regions of an object, then its pose from them.

    Args:
        backbone: maps (B, P, H, W) to Features; tells `grid_channels` and `stem_channels`.
        head: makes the layers up to the maps' size from (grid_channels).
        pnp: makes Patch-PnP from (in_channels, size, start, context).
        input_size: width of the crops, pixels.
        stride: pixels of the crop that a pixel of the maps is wide.
        regions: surface regions of an object.
        classes: object classes; 0 makes one network for any object, which knows nothing of the class.
        class_embedding: add what is learnt of the class to the backbone's stem, and show it to Patch-PnP.
        class_output: give each class its own last layer of the maps (GDRNPP).
        features: show Patch-PnP the head's features beside the correspondences.
        amodal: also predict the mask of the whole object (GDRNPP).
        std: of the last layer's initial weights; None for PyTorch's own.

    Raises:
        ValueError: something is asked for each class, but there are none.
    """

    def __init__(
        self,
        backbone: Any,
        head: Callable[..., Any],
        pnp: Callable[..., nn.Module],
        input_size: int,
        stride: int,
        regions: int = 64,
        classes: int = 0,
        class_embedding: bool = False,
        class_output: bool = False,
        features: bool = False,
        amodal: bool = True,
        std: float | None = None,
    ) -> None:
        super().__init__()
        if (class_embedding or class_output) and not classes:
            raise ValueError("model.net.classes is 0, but class_embedding or class_output asks for classes")
        self.backbone, self.head = backbone, head(grid_channels=backbone.grid_channels)
        self.masks = 2 if amodal else 1
        channels = self.masks + 3 + 1 + regions
        own = classes if class_output else 0
        self.maps = OutputLayer(self.head.out_channels, channels, own, std)
        width = backbone.stem_channels if class_embedding else 0
        self.object_class = nn.Embedding(classes, width) if class_embedding else None
        self.features = features
        seen = 3 + 2 + regions + (self.head.out_channels if features else 0)
        self.pnp = pnp(in_channels=seen, size=input_size // stride, start=(*UPRIGHT, *AHEAD), context=width)

    def forward(
        self,
        image: Float[Tensor, "B P H W"],
        object_id: Int[Tensor, " B"],
        box: Float[Tensor, "B 2 3"],
        rays: Float[Tensor, "B 2 h w"],
    ) -> G2drOutput:
        """Predict geometry and pose of a batch of crops.

        Args:
            image: (B, P, H, W) normalised colour, and mask planes where they are read.
            object_id: (B,) index of the object's class; read only where something is learnt for each class.
            box: (B, 2, 3) centre and extent that coordinates are normalised by, metres.
            rays: (B, 2, h, w) x / z and y / z of the ray through each map pixel.

        Returns:
            Maps of h x w pixels and the pose.
        """
        context = None if self.object_class is None else self.object_class(object_id)
        features = self.head(self.backbone(image, context))
        maps = self.maps(features, object_id).float()
        masks, nocs, region = maps.tensor_split((self.masks, self.masks + 3), dim=1)
        places = (nocs - 0.5) * box[:, 1, :, None, None] + box[:, 0, :, None, None]
        attention = region[:, 1:].softmax(dim=1)
        further = [features] if self.features else []
        rot6d, site = self.pnp(torch.cat([places, rays, attention, *further], dim=1), context)
        return G2drOutput(
            visible=masks[:, 0],
            amodal=masks[:, 1] if self.masks == 2 else None,
            nocs=nocs,
            region=region,
            rot6d=rot6d,
            site=site,
        )
