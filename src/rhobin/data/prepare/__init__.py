"""Preparing a dataset once: crops, masks as bits and parameters as arrays, with an index."""
