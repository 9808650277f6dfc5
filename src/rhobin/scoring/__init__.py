"""Files in, scores out: stored predictions, challenge files, scores and baselines beside each other. No drawing."""
