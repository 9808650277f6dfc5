"""One object alone in random poses and light, for pre-training: pictures, masks and object coordinates."""
