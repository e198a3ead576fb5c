"""
zonesim from Python: load a scenario or an experiment, run it, and have the numbers as arrays and relations.

    >>> import zonesim
    >>> model = zonesim.load("scenarios/typical_zone.yaml")
    >>> found = model.compare("11", replications=10)
    >>> found.difference("F5.dwell.mean", "11")

Nothing is written to files. Arms and settings are written as on the command line.
"""

from zonesim.analysis import Interval
from zonesim.api.model import Experiment, Scenario, load
from zonesim.api.records import Records
from zonesim.api.rows import Row
from zonesim.api.searches import Best, Robustness, Sensitivities
from zonesim.api.study import Study
from zonesim.faults import Faults, RunFault, ScenarioFault, ZonesimError

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
    "load",
]
