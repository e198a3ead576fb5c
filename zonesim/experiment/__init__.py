"""Experiments: arms × futures × replications, their store, and what they have found."""

from zonesim.experiment.beside import MOST_AT_AN_END, UNLIMITED_UNITS, Beside, ends_of_doubts, unlimited_units
from zonesim.experiment.control import NO_CONTROL, UNKNOWN, Band, CellControl, CheckBand
from zonesim.experiment.design import (
    Design,
    Precision,
    complete,
    draft_experiment,
    grid_design,
    is_experiment,
    plain_design,
    read_design,
)
from zonesim.experiment.estimate import rough_seconds
from zonesim.experiment.eta import remaining, rough_size, rough_time
from zonesim.experiment.execution import ALONE, LOCAL, NOBODY, Execution, Progress, Shard, Watch
from zonesim.experiment.factors import Factor, factors_of, future_at
from zonesim.experiment.futures import AS_WRITTEN, FUTURE, Future, Setting, doubts_of, number_in, setting_of
from zonesim.experiment.identity import (
    USUAL_LEVEL,
    USUAL_REPLICATIONS,
    USUAL_SEED,
    Kind,
    asked_settings,
    folder_name,
    is_future,
    number_of,
    run_id,
    slug,
    told_setting,
    told_settings,
)
from zonesim.experiment.options import Layout, Option
from zonesim.experiment.packing import Packing
from zonesim.experiment.planning import Combination, tree_hash
from zonesim.experiment.probing import checked_design
from zonesim.experiment.recall import are_as_run, have_changed, recall_arms, recall_design
from zonesim.experiment.results import (
    INPUTS,
    STUDY,
    ArmInfo,
    BesideInfo,
    CellInfo,
    FutureInfo,
    KpiInfo,
    Results,
    load_results,
)
from zonesim.experiment.runner import Failure, Runs, run_arms
from zonesim.experiment.samples import drawn
from zonesim.experiment.screening import is_orthogonal
from zonesim.experiment.shelf import MOST_MEASURES, Lever, Shelved, plan_with, shelf
from zonesim.experiment.shelf_tables import Change
from zonesim.experiment.starting import Workers, workers
from zonesim.experiment.store import FOLDER as CELLS
from zonesim.experiment.store import SHARED, Store, cell_key
from zonesim.experiment.study import CellTags, study_document, write_inputs, write_study
from zonesim.experiment.warm_up_series import inside_from_start, rhythm

__all__ = [
    "ALONE",
    "AS_WRITTEN",
    "CELLS",
    "FUTURE",
    "INPUTS",
    "LOCAL",
    "MOST_AT_AN_END",
    "MOST_MEASURES",
    "NOBODY",
    "NO_CONTROL",
    "SHARED",
    "STUDY",
    "UNKNOWN",
    "UNLIMITED_UNITS",
    "USUAL_LEVEL",
    "USUAL_REPLICATIONS",
    "USUAL_SEED",
    "ArmInfo",
    "Band",
    "Beside",
    "BesideInfo",
    "CellControl",
    "CellInfo",
    "CellTags",
    "Change",
    "CheckBand",
    "Combination",
    "Design",
    "Execution",
    "Factor",
    "Failure",
    "Future",
    "FutureInfo",
    "Kind",
    "KpiInfo",
    "Layout",
    "Lever",
    "Option",
    "Packing",
    "Precision",
    "Progress",
    "Results",
    "Runs",
    "Setting",
    "Shard",
    "Shelved",
    "Store",
    "Watch",
    "Workers",
    "are_as_run",
    "asked_settings",
    "cell_key",
    "checked_design",
    "complete",
    "doubts_of",
    "draft_experiment",
    "drawn",
    "ends_of_doubts",
    "factors_of",
    "folder_name",
    "future_at",
    "grid_design",
    "have_changed",
    "inside_from_start",
    "is_experiment",
    "is_future",
    "is_orthogonal",
    "load_results",
    "number_in",
    "number_of",
    "plain_design",
    "plan_with",
    "read_design",
    "recall_arms",
    "recall_design",
    "remaining",
    "rhythm",
    "rough_seconds",
    "rough_size",
    "rough_time",
    "run_arms",
    "run_id",
    "setting_of",
    "shelf",
    "slug",
    "study_document",
    "told_setting",
    "told_settings",
    "tree_hash",
    "unlimited_units",
    "workers",
    "write_inputs",
    "write_study",
]
