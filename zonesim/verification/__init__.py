"""Verification: running cases that others have worked out or published, and saying what came out."""

from zonesim.verification.pairs import Pair, Published, Validation, read_pairs, spread_factor
from zonesim.verification.predicting import FUTURES, Prediction, predict
from zonesim.verification.reading import CaseFile, Prepared, cases_folder, chosen, prepared, read_cases
from zonesim.verification.running import SEED, Finding, trace, verify
from zonesim.verification.situations import Outcome, read_situations, tried
from zonesim.verification.verdicts import Judgement, Verdict

__all__ = [
    "FUTURES",
    "SEED",
    "CaseFile",
    "Finding",
    "Judgement",
    "Outcome",
    "Pair",
    "Prediction",
    "Prepared",
    "Published",
    "Validation",
    "Verdict",
    "cases_folder",
    "chosen",
    "predict",
    "prepared",
    "read_cases",
    "read_pairs",
    "read_situations",
    "spread_factor",
    "trace",
    "tried",
    "verify",
]
