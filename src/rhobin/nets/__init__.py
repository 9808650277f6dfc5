"""Layers that any method may use: backbones and keypoint heads."""
