"""Light and its absence: lamps, shadows, corners, and the curve from radiance to pixels."""
