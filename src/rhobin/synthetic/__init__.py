"""People and objects in rooms, written as a BEHAVE tree."""
