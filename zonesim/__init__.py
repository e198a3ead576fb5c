"""zonesim: discrete-event simulation of comprehensive bonded zones."""

__version__ = "0.1.0"

__all__ = ["__version__"]
