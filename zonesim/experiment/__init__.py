"""Experiments: arms × futures × replications, their store, and what they have found."""

from zonesim.experiment.design import Combination, Design, Option, is_experiment, plain_design, read_design
from zonesim.experiment.futures import AS_WRITTEN, Future, Setting
from zonesim.experiment.how import How
from zonesim.experiment.identity import (
    USUAL_LEVEL,
    USUAL_REPLICATIONS,
    USUAL_SEED,
    Kind,
    folder_name,
    run_id,
    slug,
    told_setting,
)
from zonesim.experiment.results import ArmInfo, CellInfo, FutureInfo, KpiInfo, Results, load_results
from zonesim.experiment.runner import Failure, Runs, run_arms
from zonesim.experiment.store import SHARED, Store, cell_key
from zonesim.experiment.study import study_document, write_inputs, write_study

__all__ = [
    "AS_WRITTEN",
    "SHARED",
    "USUAL_LEVEL",
    "USUAL_REPLICATIONS",
    "USUAL_SEED",
    "ArmInfo",
    "CellInfo",
    "Combination",
    "Design",
    "Failure",
    "Future",
    "FutureInfo",
    "How",
    "Kind",
    "KpiInfo",
    "Option",
    "Results",
    "Runs",
    "Setting",
    "Store",
    "cell_key",
    "folder_name",
    "is_experiment",
    "load_results",
    "plain_design",
    "read_design",
    "run_arms",
    "run_id",
    "slug",
    "study_document",
    "told_setting",
    "write_inputs",
    "write_study",
]
