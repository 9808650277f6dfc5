"""Ensembles: weighted means of what several runs predict of people (decisions 0140 to 0142)."""
