"""CHORE: fields about the person and the object, and bodies and objects fitted to them."""
