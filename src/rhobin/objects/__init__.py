"""Object templates: shapes, symmetry, keypoints and where people touch them."""
