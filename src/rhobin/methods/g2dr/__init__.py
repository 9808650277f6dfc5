"""G2DR, winner of the object track."""
