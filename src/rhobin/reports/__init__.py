"""Prediction files, scores, tables, figures and the report page."""
