"""Measuring: each run in a process of its own, all programs in turn and then again, medians with their spread."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from bench.answers import Answers
from bench.programs import Program

ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Job:
    """What one process runs: a program, minutes, how often, and what else its `run` takes."""

    program: Program
    horizon: float
    runs: int = 1
    options: dict[str, Any] = field(default_factory=dict)


@dataclass
class Found:
    """What was found about a job; `seconds` (of processor time) holds one number a process: the median of its runs."""

    job: Job
    seconds: list[float] = field(default_factory=list)
    peak_mb: float | None = None
    answers: list[Answers] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Return the median seconds of a run."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Return half of what lies between the fastest and the slowest, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / 2 / self.median

    @property
    def micros(self) -> float:
        """Return the median time per consignment in microseconds; one comes a minute."""
        return self.median / self.job.horizon * 1e6


def measured(jobs: Sequence[Job], repeats: int = 1) -> list[Found]:
    """Run the jobs one after the other, then all of them again, each with the same seeds."""
    found = [Found(job) for job in jobs]
    for _ in range(repeats):
        for each in found:
            job = each.job
            said = child(program=job.program.name, horizon=job.horizon, seed=1, runs=job.runs, **job.options)
            each.answers = [Answers(**run) for run in said["runs"]]
            each.seconds.append(statistics.median(run["seconds"] for run in said["runs"]))
            each.peak_mb = max(each.peak_mb or 0.0, said["peak_mb"]) if said["peak_mb"] is not None else None
    return found


def child(environment: dict[str, str] | None = None, **asked: Any) -> dict[str, Any]:  # noqa: ANN401  see bench.child
    """Run bench.child in a process of its own and return what it says; raises RuntimeError when it fails."""
    found: dict[str, Any] = json.loads(
        done([sys.executable, "-m", "bench.child", json.dumps(asked)], environment).output
    )
    return found


@dataclass(frozen=True)
class Done:
    """What a command printed, the seconds that passed, and those of processor time, of all that it started."""

    output: str
    seconds: float
    processor: float


def done(words: Sequence[str], environment: dict[str, str] | None = None) -> Done:
    """Run a command in the project's folder; raises RuntimeError when it fails."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths), **(environment or {})}
    began, before = perf_counter(), os.times()
    ended = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    seconds, after = perf_counter() - began, os.times()
    if ended.returncode:
        message = f"{' '.join(words)}\nended with {ended.returncode}:\n{ended.stderr}"
        raise RuntimeError(message)
    processor = after.children_user - before.children_user + after.children_system - before.children_system
    return Done(ended.stdout, seconds, processor)
