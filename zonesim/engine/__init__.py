"""Engines: executing a plan."""

from zonesim.engine._jit import is_ready, note_ready
from zonesim.engine.choosing import AUTO, ENGINES, Engine, engine_for, simulate
from zonesim.engine.memory import free_memory
from zonesim.engine.wording import too_long

__all__ = ["AUTO", "ENGINES", "Engine", "engine_for", "free_memory", "is_ready", "note_ready", "simulate", "too_long"]
