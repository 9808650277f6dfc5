"""From bodies, objects and rooms to pictures and masks, by ray casting."""
