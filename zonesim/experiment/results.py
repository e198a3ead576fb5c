"""What an experiment has found, read from its folder: `study.json` says what was run, `cells/` holds the numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, dropwhile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zonesim.experiment.control import NO_CONTROL, CellControl
from zonesim.experiment.store import FOLDER, Store
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.kpi import Definition, Kpi, RunResult
from zonesim.policy import Chosen
from zonesim.scenario.paths import ODD, is_odd

STUDY: Final = "study.json"

INPUTS: Final = "inputs"
"""Folder of the files that a run was read from, as they were."""

FORMAT: Final = 4
"""Version of `study.json`."""

_AT_ONCE: Final = 64
"""So many cells are read at once."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ArmInfo:
    """
    An arm: its label by language, its measures as people write them (`m11 (coverage 60 %)`) and as they were chosen,
    and its own changes as (path, text, number or None).
    """

    name: str
    label: Mapping[str, str]
    measures: tuple[str, ...]
    chosen: tuple[Chosen, ...]
    edits: tuple[tuple[str, str, float | None], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its measures."""
        return tuple(each.measure for each in self.chosen)


@dataclass(frozen=True)
class FutureInfo:
    """A future: its settings as (path, text, number or None); none for the scenario as written."""

    name: str
    settings: tuple[tuple[str, str, float | None], ...]
    sample: int = 0
    """Its number, from 1, when it is one of a sample of all doubts; 0 for others."""


@dataclass(frozen=True)
class BesideInfo:
    """
    What was run beside the first future: all arms with unlimited units (no `doubt`), or at one `end`, `low` or `high`,
    of a doubt; `label`: what people call the doubt, by language, and `settings` as those of a future.
    """

    name: str
    doubt: str
    end: str
    label: Mapping[str, str]
    settings: tuple[tuple[str, str, float | None], ...]


@dataclass(frozen=True)
class KpiInfo:
    """A KPI, with what it is about and what it means, and whether it is a bound that no run has measured."""

    kpi: Kpi
    bound: bool

    @property
    def id(self) -> str:
        """Return the id."""
        return self.kpi.id

    @property
    def unit(self) -> str:
        """Return the unit of the value."""
        return self.kpi.unit

    @property
    def en(self) -> str:
        """Return the label in English."""
        return self.kpi.en

    @property
    def zh(self) -> str:
        """Return the label in Chinese."""
        return self.kpi.zh

    @property
    def headline(self) -> bool:
        """Return whether it is printed without being asked for."""
        return self.kpi.headline

    @property
    def better(self) -> str:
        """Return which way is good: `lower`, `higher` or `neither`."""
        return self.kpi.definition.better


@dataclass(frozen=True)
class CellInfo:
    """
    An arm in a future: the key of its cells, the replications that are finished, and which KPIs only echo its edits
    (`inputs`), whatever waits, or where nobody waits for long (`echoes`), or depend on the run length (`unstable`), or
    would do so but for what is said by hand (`overruled`).
    """

    key: str
    tree: str
    """SHA-256 of the resolved scenario."""
    replications: tuple[int, ...]
    inputs: frozenset[str]
    unstable: frozenset[str]
    overruled: frozenset[str] = frozenset()
    echoes: frozenset[str] = frozenset()
    control: CellControl = NO_CONTROL
    """What is expected of control."""
    mixed: frozenset[str] = frozenset()
    """KPIs that are told over goods of which the baseline has some and not others."""


@dataclass
class Results:
    """The results of an experiment, or of a comparison (an experiment with one future)."""

    folder: Path
    run: str
    """Number of the run, which tells it from every other."""
    kind: str
    """`compare`, `run` or `sweep`."""
    settings: tuple[str, ...]
    """The settings of `--set`, as people read them."""
    given: tuple[str, ...]
    """The settings of `--set`, as they were given; `changed`, those of `--change`."""
    changed: tuple[str, ...]
    files: Mapping[str, str]
    """Where the `scenario` was read, and the `experiment` if it is one."""
    name: str
    label: Mapping[str, str]
    scenario: str
    scenario_label: Mapping[str, str]
    synthetic: bool
    clock: dict[str, str]
    """`start`, `warm_up` and `measure` as the scenario writes them."""
    baseline: str
    arms: dict[str, ArmInfo]
    """By name, the baseline first."""
    futures: dict[str, FutureInfo]
    """By name, in the order of the file."""
    beside: dict[str, BesideInfo]
    """What was run beside the first future, by name."""
    kpis: dict[str, KpiInfo]
    told: tuple[str, ...]
    """Ids of the KPIs that are reported, in the order of the file."""
    seed: int
    replications: int
    """How many were asked for; `common` says which all arms of a future have."""
    cells: dict[tuple[str, str], CellInfo]
    provenance: dict[str, Any] = field(default_factory=dict)
    level: float = 0.95
    """Confidence level of the intervals."""
    failures: tuple[str, ...] = ()
    """What was not finished, a line each."""
    precise: bool = False
    """Whether as many replications were run as it took, by the rule of the experiment."""
    store: Store = field(default_factory=lambda: Store(Path()), repr=False)
    """The cells."""
    _common: dict[str, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False)
    _matrices: dict[tuple[str, str], tuple[dict[str, int], Floats]] = field(
        default_factory=dict, init=False, repr=False
    )
    _missing: dict[tuple[str, str], dict[str, list[float]]] = field(default_factory=dict, init=False, repr=False)

    def reported(self) -> list[str]:
        """Return the ids of the KPIs that the experiment reports, in its order."""
        return list(self.told)

    def common(self, future: str) -> tuple[int, ...]:
        """Return the replications that every arm has finished in a future."""
        if future not in self._common:
            done = [set(self.cells[arm, future].replications) for arm in self.arms]
            self._common[future] = tuple(sorted(set.intersection(*done))) if done else ()
        return self._common[future]

    def column(self, arm: str, future: str, kpi: str) -> Floats:
        """
        Return a KPI by replication (those in `common`), nan where it has no value or is withheld.

        Raises UnknownName when no plan of the experiment has the KPI.
        """
        if kpi not in self.kpis:
            raise UnknownName(f"no KPI '{kpi}' in these results", Place(str(self.folder)), suggest(kpi, self.kpis))
        positions, matrix = self._matrix(arm, future)
        if kpi not in positions:
            return np.full(len(matrix), math.nan)
        return matrix[:, positions[kpi]]

    def grows(self, arm: str, future: str, kpi: str) -> bool:
        """Return whether a KPI depends on the run length."""
        return kpi in self.cells[arm, future].unstable

    def missing(self, arm: str, future: str, kpi: str) -> list[float]:
        """Return the shares of cases that are missing in the replications that withhold a KPI."""
        self._matrix(arm, future)
        return self._missing[self.cells[arm, future].key, future].get(kpi, [])

    def curves(self, arm: str, future: str) -> dict[str, Floats]:
        """Return the curves by name, each (replications, points)."""
        runs = self.runs(arm, future)
        if not runs:
            return {}
        return {name: np.array([run.curves[name] for run in runs]) for name in runs[0].curves}

    def samples(self, arm: str, future: str) -> dict[str, list[NDArray[np.int64]]]:
        """Return the durations (ms) of the measured tokens by name, one array a replication."""
        runs = self.runs(arm, future)
        return {name: [run.samples[name].astype(np.int64) for run in runs] for name in runs[0].samples} if runs else {}

    def runs(self, arm: str, future: str, *, values_only: bool = False) -> list[RunResult]:
        """
        Return all numbers of an arm in a future by replication (those in `common`), `values_only`: no curves, samples.

        Raises ScenarioFault when cells are lost or damaged, so that it has fewer.
        """
        found = self.store.read(self.cells[arm, future].key, self.common(future), values_only=values_only)
        return self._whole(arm, future, found)

    def _whole(self, arm: str, future: str, found: Mapping[int, RunResult]) -> list[RunResult]:
        common = self.common(future)
        if len(found) < len(common):
            fault = f"{len(common) - len(found)} of {len(common)} replications of arm '{arm}' are lost or damaged"
            place = Place(str(self.folder / FOLDER))
            raise ScenarioFault(fault, place, "Run the same command again: it runs anew what is missing.")
        return list(found.values())

    def _matrix(self, arm: str, future: str) -> tuple[dict[str, int], Floats]:
        """Return positions of KPIs, and their values by replication; what follows is read with it."""
        key = self.cells[arm, future].key
        if (key, future) not in self._matrices:
            wanted = self._unread(arm, future)
            asked = {each: self.common(what) for each, what in wanted.items()}
            for each, runs in self.store.read_all(asked, values_only=True).items():
                if each == key or len(runs) == len(asked[each]):  # of others it is told in their turn
                    self._keep((each, wanted[each]), self._whole(arm, future, runs))
        return self._matrices[key, future]

    def _unread(self, arm: str, future: str) -> dict[str, str]:
        """Return the keys of some cells that are not read yet, from this arm on, with their futures."""
        names = list(self.arms)
        behind = [each for each in dropwhile(lambda each: each != future, self.futures) if each != future]
        own = ((name, future) for name in names[names.index(arm) :])
        found: dict[str, str] = {}
        for name, what in chain(own, ((name, what) for what in behind for name in names)):
            key = self.cells[name, what].key
            if (key, what) not in self._matrices:
                found.setdefault(key, what)
            if len(found) == _AT_ONCE:
                break
        return found

    def _keep(self, pair: tuple[str, str], runs: Sequence[RunResult]) -> None:
        """Keep the values of cells in a future."""
        names = {name: position for position, name in enumerate(runs[0].values)} if runs else {}
        values = [[run.values[name] for name in names] for run in runs]
        missing: dict[str, list[float]] = {}
        for run in runs:
            for name, share in run.withheld.items():
                missing.setdefault(name, []).append(share)
        self._missing[pair] = missing
        self._matrices[pair] = names, np.array(values, dtype=np.float64).reshape(len(runs), len(names))


def load_results(folder: Path, store: Store | None = None) -> Results:
    """
    Return the results in a folder that `sweep` or `compare` wrote; raises ScenarioFault when there are none.

    `store`: of its cells, where it is open already.
    """
    path = folder / STUDY
    if is_odd(path):
        raise Faults([ScenarioFault(ODD, Place(str(path)), "Name a results folder of `sweep` or `compare`.")])
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _results(folder, document, store or Store(folder / FOLDER))
    except OSError as error:
        fault, remedy = f"cannot be read: {error.strerror}", "Name a results folder of `sweep` or `compare`."
        raise Faults([ScenarioFault(fault, Place(str(path)), remedy)]) from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        fault = f"is no study of this version ({type(error).__name__}: {error})"
        raise Faults([ScenarioFault(fault, Place(str(path)), "Run the experiment again.")]) from None


def _results(folder: Path, document: dict[str, Any], store: Store) -> Results:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}")
    _check_texts(document)
    return Results(
        folder=folder,
        run=str(document["run"]),
        kind=document["kind"],
        settings=tuple(document["settings"]),
        given=tuple(document["set"]),
        changed=tuple(document.get("changed", ())),
        files=dict(document["files"]),
        name=document["name"],
        label=document["label"],
        scenario=document["scenario"]["name"],
        scenario_label=dict(document["scenario"]["label"]),
        synthetic=bool(document["scenario"]["synthetic"]),
        clock={key: str(document["scenario"]["clock"][key]) for key in ("start", "warm_up", "measure")},
        baseline=document["baseline"],
        arms={
            each["name"]: ArmInfo(
                each["name"],
                each["label"],
                tuple(own["told"] for own in each["measures"]),
                tuple(
                    Chosen(own["measure"], tuple(own["params"].items()), own["start"], tuple(own["zones"]))
                    for own in each["measures"]
                ),
                _settings(each["edits"]),
            )
            for each in document["arms"]
        },
        futures={
            each["name"]: FutureInfo(each["name"], _settings(each["settings"]), int(each.get("sample", 0)))
            for each in document["futures"]
        },
        beside={
            each["name"]: BesideInfo(
                each["name"], each["doubt"], each["end"], each["label"], _settings(each["settings"])
            )
            for each in document.get("beside", ())
        },
        kpis=_kpis(document),
        told=tuple(name for name in document["reported"]),
        seed=int(document["seed"]),
        replications=int(document["replications"]),
        cells={
            (each["arm"], each["future"]): CellInfo(
                each["key"],
                each["resolved_sha256"],
                tuple(each["replications"]),
                frozenset(each["inputs"]),
                frozenset(each["unstable"]),
                frozenset(each.get("overruled", ())),
                frozenset(each.get("echoes", ())),
                CellControl.of_document(each["control"]) if "control" in each else NO_CONTROL,
                frozenset(each.get("mixed", ())),
            )
            for each in document["cells"]
        },
        provenance=document["provenance"],
        level=float(document["level"]),
        failures=tuple(
            f"{each['arm']}, {each['future']}, replication {each['replication']}: {each['message']}"
            for each in document.get("failures", ())
        ),
        precise="precision" in document,
        store=store,
    )


def _kpis(document: dict[str, Any]) -> dict[str, KpiInfo]:
    """Return the KPIs by id, with the definitions that the study has of them."""
    meanings = [Definition(**each) for each in document["definitions"]]
    return {
        each["id"]: KpiInfo(
            Kpi(
                each["id"],
                meanings[each["definition"]],
                each["subject"],
                bool(each["headline"]),
                each["en"],
                each["zh"],
            ),
            bool(each["bound"]),
        )
        for each in document["kpis"]
    }


def _check_texts(document: dict[str, Any]) -> None:
    """Raise TypeError unless names, ids and labels are texts, and the replications that are finished numbers."""
    texts = [document["name"], document["kind"], document["baseline"], document["scenario"]["name"]]
    texts += [*document["reported"], *document["settings"], *document["set"], *document["files"].values()]
    labels = [document["label"], document["scenario"]["label"], *(each["label"] for each in document["arms"])]
    texts += [text for label in labels for text in label.values()]
    texts += [each["name"] for each in (*document["arms"], *document["futures"])]
    texts += [each[key] for each in document["kpis"] for key in ("id", "subject", "en", "zh")]
    texts += [
        each[key]
        for each in document["definitions"]
        for key, kind in Definition.__annotations__.items()
        if kind == "str"
    ]
    for each in document["cells"]:
        texts += [each["arm"], each["future"], each["key"], *each["inputs"], *each["unstable"]]
        if not all(type(number) is int for number in each["replications"]):
            raise TypeError("a replication that is no number")
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{text!r:.40} in place of a text")


def _settings(written: list[dict[str, Any]]) -> tuple[tuple[str, str, float | None], ...]:
    return tuple((each["path"], each["text"], each["number"]) for each in written)
