"""Engines: executing a plan."""

from zonesim.engine.choosing import ENGINES, Engine, simulate

__all__ = ["ENGINES", "Engine", "simulate"]
