"""Ways to break a file, shared by tests of several layouts."""


class Bomb:
    """A pickle that opens a file for writing when it is read carelessly."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def truncate(path):
    """Keep the first 100 bytes."""
    path.write_bytes(path.read_bytes()[:100])
