"""Searches by Optuna: any number of processes train the trials of one study, and an interrupted one goes on."""
