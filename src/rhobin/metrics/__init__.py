"""The challenge's metrics and protocol constants."""
