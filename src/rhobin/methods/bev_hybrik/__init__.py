"""BEV-HybrIK, winner of the human track."""
