"""Engines: executing a plan."""

from zonesim.engine.choosing import AUTO, ENGINES, Engine, engine_for, simulate

__all__ = ["AUTO", "ENGINES", "Engine", "engine_for", "simulate"]
