"""Searches by Optuna: any number of processes train the trials of one study, which survives kills."""
