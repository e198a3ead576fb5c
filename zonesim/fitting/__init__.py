"""A user's own gate log: reading it, refusing its dirty rows by name, fitting arrivals and times, writing scenarios."""

from zonesim.fitting.job import Fit, Group, Request, fit_log
from zonesim.fitting.log import Columns, Log, Rules

__all__ = ["Columns", "Fit", "Group", "Log", "Request", "Rules", "fit_log"]
