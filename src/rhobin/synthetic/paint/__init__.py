"""Colours by position: skin, hair and clothes, the finish of objects, the materials of rooms."""
