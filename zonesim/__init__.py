"""
zonesim: discrete-event simulation of comprehensive bonded zones.

In Python, everything begins with `zonesim.load(path)`; docs/how-to/use-from-python.md shows the way.
"""

from importlib import import_module

from zonesim.version import __version__

__all__ = [
    "Best",
    "Experiment",
    "Faults",
    "Interval",
    "Records",
    "Robustness",
    "Row",
    "RunFault",
    "Scenario",
    "ScenarioFault",
    "Sensitivities",
    "Study",
    "ZonesimError",
    "__version__",
    "load",
]


def __getattr__(name: str) -> object:
    """Return a public name; what it needs is imported when it is asked for, so that `import zonesim` takes no time."""
    if name in __all__:
        return getattr(import_module("zonesim.api"), name)
    raise AttributeError(f"module 'zonesim' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
