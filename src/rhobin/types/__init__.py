"""The contract between floors: what a camera, a sample, a batch and a prediction hold.

Units and frames, once for the whole project: metres, radians, rotation matrices; the OpenCV camera
(x right, y down, z forward); pixel coordinates whose origin is the centre of the first pixel.
"""

from rhobin.types.camera import Camera
from rhobin.types.drawing import Drawing
from rhobin.types.drawn import BevMaps, CentreMaps, Fields, Heatmaps, ObjectMaps
from rhobin.types.gender import GENDERS, gender_name
from rhobin.types.prediction import HumanPrediction, ObjectPrediction, Prediction
from rhobin.types.sample import Batch, Crop, Sample, SampleKey
from rhobin.types.target import HumanTarget, ObjectTarget, Target
from rhobin.types.tensors import map_tensors, map_values, required, to_device

__all__ = [
    "GENDERS",
    "Batch",
    "BevMaps",
    "Camera",
    "CentreMaps",
    "Crop",
    "Drawing",
    "Fields",
    "Heatmaps",
    "HumanPrediction",
    "HumanTarget",
    "ObjectMaps",
    "ObjectPrediction",
    "ObjectTarget",
    "Prediction",
    "Sample",
    "SampleKey",
    "Target",
    "gender_name",
    "map_tensors",
    "map_values",
    "required",
    "to_device",
]
