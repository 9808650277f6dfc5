"""Ground truth: of views, of crops, and the maps that some methods train on."""
