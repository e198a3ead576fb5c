"""From files of cases to plans that can be run and values that they are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from zonesim import units
from zonesim.experiment import setting_of
from zonesim.faults import Faults, Place, ScenarioFault, UnitFault, UnknownName, suggest
from zonesim.kpi import catalogue
from zonesim.plan import Plan, compile_plan
from zonesim.policy import ResolvedTree, apply, baseline, load_world, resolve
from zonesim.scenario import Document, Path_, check, read_file
from zonesim.scenario.paths import inside_project
from zonesim.verification import lengths
from zonesim.verification.documents import FEWEST, Case, Cases, Published, Short
from zonesim.verification.verdicts import published_error

SHORTER: Final = 25
"""How many times shorter the measured window is with `--quick`; intervals are then five times as wide."""

WIDEST: Final = {"exact": 0.01, "published": 0.05, "trace": 0.0}
RATIO: Final = " / "


@dataclass(frozen=True)
class Check:
    """A value of a case: the KPI (or ratio of KPIs), what is expected in its unit, and the error of that."""

    kpi: str
    unit: str
    expected: float
    error: float = 0.0
    """Standard error of a published value; 0 of one that is exact."""

    def of(self, values: dict[str, float]) -> float:
        """Return the value in the KPIs of a replication."""
        top, *below = (values[part] for part in self.kpi.split(RATIO))
        for value in below:
            top = top / value if value else math.nan
        return top

    @property
    def kpis(self) -> tuple[str, ...]:
        """Return the KPIs that it is made of."""
        return tuple(self.kpi.split(RATIO))


@dataclass(frozen=True)
class Prepared:
    """A case that can be run: its plan, what it is compared with, how often it is run, how wide intervals may be."""

    id: str
    name: str
    case: Case
    plan: Plan = field(repr=False)
    checks: tuple[Check, ...]
    replications: int
    widest: float
    quick: bool

    @property
    def key(self) -> str:
        """Return what tells it apart from all others."""
        return f"{self.id} {self.name}"


@dataclass(frozen=True)
class CaseFile:
    """A file of cases: the checked model and where everything stands in it."""

    path: Path
    document: Document
    model: Cases


def cases_folder() -> Path:
    """Return the folder of the cases that come with zonesim: in the package, or beside the tests of a checkout."""
    package = Path(__file__).resolve().parent.parent
    folders = (package / "cases", package.parent / "tests" / "cases")
    for folder in folders:
        if folder.is_dir():
            return folder
    raise ScenarioFault("the outside cases are not installed", Place(str(folders[0])), "Install zonesim as a wheel.")


def read_cases(folder: Path | None = None) -> list[CaseFile]:
    """Return all files of cases of a folder by id; raises Faults with all that is wrong in them."""
    found: list[CaseFile] = []
    faults: list[ScenarioFault] = []
    for path in sorted((folder or cases_folder()).glob("*.cases.yaml")):
        try:
            document = read_file(path)
            model = check(Cases, document.tree, document.places, document.keys, file=document.file)
        except Faults as found_faults:
            faults += found_faults.faults
            continue
        if not path.name.startswith(f"{model.id}."):
            fault = f"the file of '{model.id}' has another name"
            faults.append(ScenarioFault(fault, document.place(("id",)), f"Call it {model.id}.cases.yaml."))
        found.append(CaseFile(path, document, model))
    if faults:
        raise Faults(faults)
    return found


def chosen(files: Sequence[CaseFile], ids: Sequence[str]) -> list[CaseFile]:
    """Return the files with these ids, all of them when none is given; raises UnknownName."""
    known = {file.model.id: file for file in files}
    for each in ids:
        if each not in known:
            raise UnknownName(f"no case '{each}'", Place("--case"), suggest(each, known, "cases"))
    return [known[each] for each in known if not ids or each in ids]


def prepared(file: CaseFile, *, quick: bool, only: str = "") -> Iterator[Prepared]:
    """
    Yield the cases of a file that are run, `quick` those of `--quick`, or `only` the one with this name.

    Raises Faults with places in the file.
    """
    for name, case in file.model.cases.items():
        if (not quick or case.quick is not False) and only in {"", name}:
            yield _prepared(file, name, case, quick=quick)


def _prepared(file: CaseFile, name: str, case: Case, *, quick: bool) -> Prepared:
    world = _world(file, name, case)
    at: Path_ = ("cases", name)
    short = case.quick if quick and isinstance(case.quick, Short) else Short()
    _set(world, file, short.set, (*at, "quick", "set"))
    replications = short.replications or case.replications or (1 if case.rule == "trace" else FEWEST)
    widest = WIDEST[case.rule] if case.widest is None else units.parse_share(case.widest)
    if quick and case.rule != "trace":
        widest *= math.sqrt(SHORTER)
    _stretch(world, case, widest, replications, shorter=SHORTER if quick else 1)
    plan = compile_plan(resolve(world, baseline(world)))
    return Prepared(file.model.id, name, case, plan, _checks(file, name, case, plan), replications, widest, quick)


def _world(file: CaseFile, name: str, case: Case) -> ResolvedTree:
    place = file.document.place(("cases", name, "scenario"))
    path = inside_project(case.scenario, file.path, place)
    if not path.is_file():
        raise Faults([ScenarioFault(f"no file '{case.scenario}' beside the case", place, "Name a scenario there.")])
    world = load_world(path)
    _set(world, file, case.set, ("cases", name, "set"))
    return world


def _set(world: ResolvedTree, file: CaseFile, values: dict[str, object], at: Path_) -> None:
    place = file.document.place
    apply(
        world,
        [
            setting_of(path, value, factor=False, by="a case", place=place((*at, path))).request
            for path, value in values.items()
        ],
    )


def _stretch(world: ResolvedTree, case: Case, widest: float, replications: int, *, shorter: int) -> None:
    """Make warm-up and measured window as long as the case asks for."""
    clock = world.tree["clock"]
    if case.station is not None:
        station = case.station
        service = units.parse(station.service, "duration")
        measure = lengths.window(station.load, station.servers, station.cv2, widest, replications) * station.longer
        clock["measure"] = f"{math.ceil(measure * service / units.MINUTE)} min"
        warm_up = lengths.warm_up(station.load, station.servers, station.cv2)
        clock["warm_up"] = f"{math.ceil(warm_up * service / units.MINUTE)} min"
    elif case.length is not None:
        clock["measure"] = f"{math.ceil(units.parse(case.length, 'duration') / shorter)} ms"


def _checks(file: CaseFile, name: str, case: Case, plan: Plan) -> tuple[Check, ...]:
    known = {kpi.id: kpi for kpi in catalogue(plan)}
    found: list[Check] = []
    faults: list[ScenarioFault] = []
    for kpi, value in case.expect.items():
        at: Path_ = ("cases", name, "expect", kpi)
        parts = kpi.split(RATIO)
        strange = [part for part in parts if part not in known]
        if strange:
            place = file.document.keys.get(at) or file.document.place(at)
            faults.append(UnknownName(f"no KPI '{strange[0]}'", place, suggest(strange[0], known, "KPIs")))
            continue
        unit = "1" if len(parts) > 1 else known[kpi].unit
        try:
            found.append(_check(kpi, unit, value))
        except UnitFault as fault:
            faults.append(fault.at(file.document.place(at)))
    if faults:
        raise Faults(faults)
    return tuple(found)


def _check(kpi: str, unit: str, value: object) -> Check:
    if not isinstance(value, Published):
        return Check(kpi, unit, amount(value, unit))
    error = published_error(
        value.n,
        half_width=None if value.half_width is None else amount(value.half_width, unit),
        sd=None if value.sd is None else amount(value.sd, unit),
    )
    return Check(kpi, unit, amount(value.value, unit), error)


def amount(value: object, unit: str) -> float:
    """Return a value in the unit of a KPI; a plain number is in it already. Raises UnitFault (without a place)."""
    if isinstance(value, int | float):
        return float(value)
    if unit in units.UNITS["duration"]:
        return units.parse(value, "duration") / units.UNITS["duration"][unit]
    if unit == "/d":
        return units.parse(value, "rate") * units.DAY
    if unit in {"share", "1"}:
        return units.parse(value, "share")
    raise UnitFault(f"'{value}' is no plain number, but the KPI counts {unit}", remedy="Write a number such as 3.5.")


def kpis_of(checks: Sequence[Check]) -> frozenset[str]:
    """Return every KPI that some checks need."""
    return frozenset(kpi for each in checks for kpi in each.kpis)
