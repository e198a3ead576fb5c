"""The version of zonesim, which results and figures name."""

__version__ = "0.1.0"
