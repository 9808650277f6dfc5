"""Building, fitting, resuming, predicting and evaluating: the only place that knows Hydra."""
