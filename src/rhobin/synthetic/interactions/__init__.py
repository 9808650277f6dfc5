"""Ways in which people use objects: each solves one frame from a figure, a template and parameters."""
