"""Augmentation: what is drawn for a sample, and the pixels that change."""
