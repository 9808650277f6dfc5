"""Readers, one a layout: each into the same record."""
