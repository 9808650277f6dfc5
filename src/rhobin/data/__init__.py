"""Views to batches: crops, augmentation, targets, samplers, loaders."""
