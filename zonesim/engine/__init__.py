"""Engines: executing a plan."""

from zonesim.compiled.jit import is_ready, note_ready
from zonesim.engine.choosing import AUTO, ENGINES, Engine, engine_for, simulate
from zonesim.engine.memory import free_memory
from zonesim.engine.run_faults import too_long

__all__ = ["AUTO", "ENGINES", "Engine", "engine_for", "free_memory", "is_ready", "note_ready", "simulate", "too_long"]
