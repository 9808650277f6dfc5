"""Bodies: who they are, their proportions, and how their limbs and fingers bend."""
