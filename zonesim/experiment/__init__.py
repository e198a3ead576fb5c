"""Experiments: arms × replications."""

from zonesim.experiment.runner import Failure, Runs, run_arms

__all__ = ["Failure", "Runs", "run_arms"]
