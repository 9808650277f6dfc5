"""Body models of the SMPL family, their joint sets and inverse kinematics."""
