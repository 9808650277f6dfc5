"""Rotations, cameras, alignment, meshes and rays: floor zero, no learning and no files."""
