"""From image files to the pixels of a crop."""
