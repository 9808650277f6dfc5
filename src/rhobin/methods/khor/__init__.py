"""KHOR, winner of the joint track."""
