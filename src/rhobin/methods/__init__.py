"""The winning methods of the first RHOBIN challenge, one folder each."""
