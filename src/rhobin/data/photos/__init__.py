"""Photographs of one's own: any image, a person pointed at, a camera, and the sample that a network reads."""
