"""Files in, scores out: stored predictions, challenge files and their scores. Nothing is drawn here."""
