"""Verification: running cases that others have worked out or published, and saying what came out."""

from zonesim.verification.reading import CaseFile, Prepared, cases_folder, chosen, prepared, read_cases
from zonesim.verification.running import SEED, Finding, trace, verify
from zonesim.verification.verdicts import Judgement, Verdict

__all__ = [
    "SEED",
    "CaseFile",
    "Finding",
    "Judgement",
    "Prepared",
    "Verdict",
    "cases_folder",
    "chosen",
    "prepared",
    "read_cases",
    "trace",
    "verify",
]
