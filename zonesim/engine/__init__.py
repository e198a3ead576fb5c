"""Engines: executing a plan."""

from zonesim.engine.simpy_engine import simulate

__all__ = ["simulate"]
