"""PHOSA: the arrangement of a person and an object by optimisation, without training."""
