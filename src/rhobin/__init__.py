"""Human-object reconstruction: the three winning methods of the first RHOBIN challenge."""

__version__ = "0.1.0"
