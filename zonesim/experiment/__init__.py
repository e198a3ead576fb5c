"""Experiments: arms × futures × replications, their store, and what they have found."""

from zonesim.experiment.design import Combination, Design, Option, is_experiment, plain_design, read_design
from zonesim.experiment.futures import AS_WRITTEN, Future, Setting
from zonesim.experiment.how import How
from zonesim.experiment.results import ArmInfo, CellInfo, FutureInfo, KpiInfo, Results, load_results
from zonesim.experiment.runner import Failure, Runs, run_arms
from zonesim.experiment.store import Store, cell_key
from zonesim.experiment.study import study_document, write_study

__all__ = [
    "AS_WRITTEN",
    "ArmInfo",
    "CellInfo",
    "Combination",
    "Design",
    "Failure",
    "Future",
    "FutureInfo",
    "How",
    "KpiInfo",
    "Option",
    "Results",
    "Runs",
    "Setting",
    "Store",
    "cell_key",
    "is_experiment",
    "load_results",
    "plain_design",
    "read_design",
    "run_arms",
    "study_document",
    "write_study",
]
