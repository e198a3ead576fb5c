"""The design of an experiment: what every arm is in every future, compiled before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from zonesim import units
from zonesim.experiment.beside import Beside, ends_of_doubts, unlimited_units
from zonesim.experiment.execution import ALONE, Execution
from zonesim.experiment.futures import FUTURE, Future, Setting, futures_of, overlap, setting_given, setting_of
from zonesim.experiment.identity import (
    USUAL_LEVEL,
    USUAL_REPLICATIONS,
    USUAL_SEED,
    Kind,
    asked_number,
    asked_settings,
)
from zonesim.experiment.options import Layout, Option, made_options
from zonesim.experiment.planning import Arms, Combination, Planner, Sketch, planned
from zonesim.experiment.store import cell_key
from zonesim.faults import Faults, Place, ScenarioFault, UnknownName, suggest
from zonesim.kpi import Kpi, catalogue
from zonesim.limits import MOST_CELLS, MOST_RUNS
from zonesim.plan import Plan, without_limits
from zonesim.policy import (
    Arm,
    ResolvedArm,
    ResolvedTree,
    apply,
    dotted,
    load_world,
    parse_setting,
    targets,
)
from zonesim.scenario import Document, check, read_file
from zonesim.scenario.experiment_documents import Experiment, Until
from zonesim.scenario.paths import inside_project

_CHOSEN: Final = "Arms are what we choose, futures what nobody chooses."


@dataclass(frozen=True)
class Precision:
    """
    How precisely differences have to be known: half of an interval is at most `until` (a share) of the value of the
    `baseline`, or of the `difference` itself, for every one of `kpis`, in `at_least` to `at_most` replications.
    """

    until: float
    of: str
    at_least: int
    at_most: int
    kpis: tuple[str, ...] = ()
    """By id; those that are reported where there are none."""
    places: tuple[Place, ...] = field(default=(), compare=False)
    """Where these are written."""

    def rule(self) -> list[object]:
        """Return what tells it from others."""
        return [self.until, self.of, self.at_least, self.at_most, list(self.kpis)]


@dataclass
class Design:
    """
    An experiment that can be run.

    `cells` holds every arm (by name) in every future (by name), arms of one future together, and behind them every arm
    in what is run `beside` the first future. `resolved` are the arms in the first future, for what is shown of them.
    """

    name: str
    label: dict[str, str]
    file: Path
    scenario_file: Path
    world: ResolvedTree
    settings: tuple[str, ...]
    baseline: str
    options: dict[str, Option]
    futures: tuple[Future, ...]
    seed: int
    replications: int
    offset: int
    layout: Layout | None = None
    """Which arms together tell the effect of each measure."""
    beside: tuple[Beside, ...] = ()
    """What is run beside the first future, so that its differences say what they are made of."""
    cells: dict[tuple[str, str], Combination] = field(default_factory=dict)
    resolved: Mapping[str, ResolvedArm] = field(default_factory=dict)
    kpis: tuple[Kpi, ...] = ()
    """Every KPI that a plan of the experiment has."""
    reported: tuple[str, ...] = ()
    """Ids of the KPIs that are reported."""
    precision: Precision | None = None
    """How precise differences have to be; `replications` are then those that were found to be enough."""
    level: float = USUAL_LEVEL
    """Confidence level of its intervals."""
    kind: Kind = "sweep"
    given: tuple[str, ...] = ()
    """The settings of `--set`, as they were given."""
    changed: tuple[str, ...] = ()
    """The settings of `--change`, which hold in all arms but the baseline, as they were given."""
    asked: tuple[str, ...] = ()
    """What was asked for beyond the file as written with the usual options, as words of a folder's name."""
    question: tuple[str, ...] = ()
    """What is asked of the runs beyond KPIs: promises, and how near to them the answer comes."""
    inputs: dict[str, bytes] = field(default_factory=dict)
    """The files that were read, `scenario.yaml` and for an experiment `experiment.yaml`, as they were."""

    def plans(self) -> dict[tuple[str, str], Plan]:
        """Return the plan of every arm in every future, and in what is run beside the first one."""
        return {pair: cell.plan for pair, cell in self.cells.items()}

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many replications are asked for of every arm in every future, and beside the first one."""
        most = {each.name: each.most for each in self.beside if each.most is not None}
        found = self.replications
        return {(arm, future): min(found, most.get(future, found)) for arm, future in self.cells}

    def main(self) -> dict[tuple[str, str], Combination]:
        """Return every arm in every future, without what is run beside the first one."""
        futures = {each.name for each in self.futures}
        return {pair: cell for pair, cell in self.cells.items() if pair[1] in futures}

    def sketch(self, *more: Future) -> Sketch:
        """Return what there is to plan, in the futures of the design and in `more`."""
        return Sketch(self.world, self.options, (*self.futures, *more), self.seed)

    def notes(self) -> list[str]:
        """Return what a reader of the results should know: warnings of arms, notes of plans, each once."""
        first = self.futures[0].name
        warned = [f"warning: {text}" for name in self.options for text in self.cells[name, first].warnings]
        return list(dict.fromkeys([*warned, *(note for plan in self.plans().values() for note in plan.names.notes)]))


def is_experiment(document: Document) -> bool:
    """Return whether a document says that it is an experiment."""
    return document.tree.get("kind") == "experiment"


def read_design(
    file: Path,
    settings: Sequence[str],
    *,
    seed: int | None = None,
    replications: int | None = None,
    level: float = USUAL_LEVEL,
    sample: int | None = None,
    how: Execution = ALONE,
) -> Design:
    """
    Return the design of an experiment file; `settings` are those of `--set`, on the scenario, in all arms. `sample`: of
    a sample of doubts only so many futures, the first. `how`: in which processes plans are made, where it takes long.

    Raises Faults with all that is wrong before anything runs: the document, the scenario, arms, futures, KPIs.
    """
    design, wanted = draft_experiment(file, settings, seed=seed, replications=replications, level=level)
    if sample is not None:
        design.futures = tuple(each for each in design.futures if each.sample <= sample)
    return complete(design, wanted, how)


def draft_experiment(
    file: Path,
    settings: Sequence[str],
    *,
    seed: int | None = None,
    replications: int | None = None,
    level: float = USUAL_LEVEL,
    scenario_file: Path | None = None,
) -> tuple[Design, list[tuple[str, Place]]]:
    """
    Return the design of an experiment without its plans, and the KPIs that it wants to report.

    `scenario_file` replaces the one that the file names. Raises Faults.
    """
    document = read_file(file)
    if not is_experiment(document):
        fault, place = f"kind '{document.tree.get('kind')}' is not an experiment", document.place(("kind",))
        raise Faults([ScenarioFault(fault, place, "Write `kind: experiment`; `run` and `compare` take a scenario.")])
    written = check(Experiment, document.tree, document.places, document.keys, file=document.file)
    if scenario_file is None:
        scenario_file = inside_project(written.scenario, file, document.place(("scenario",)))
    if not scenario_file.is_file():
        fault = f"no file '{written.scenario}' here"
        raise Faults([ScenarioFault(fault, document.place(("scenario",)), "Name a scenario from this file's folder.")])
    world = load_world(scenario_file)
    own = [
        setting_of(path, value, factor=False, by="an experiment", place=document.place(("set", path)))
        for path, value in written.set.items()
    ]
    apply(world, [each.request for each in own])
    apply(world, [parse_setting(text) for text in settings])
    faults: list[ScenarioFault] = []
    made = made_options(written, document, world, faults)
    options = made.options
    baseline = written.baseline or made.usual_baseline
    known = {**written.arms, **options}
    if baseline not in known and (written.design is None or made.usual_baseline):
        remedy = suggest(baseline, known, "arms")
        faults.append(UnknownName(f"no arm '{baseline}'", document.place(("baseline",)), remedy))
    measures = dict.fromkeys(each.measure for option in options.values() for each in option.arm.measures)
    futures: list[Future] = []
    try:
        futures = futures_of(
            written,
            document,
            world,
            list(measures),
            arms=len(options),
            seed=written.seed if seed is None else seed,
        )
    except Faults as fault:
        faults += fault.faults
    faults += _clashes(world, options, futures)
    if faults:
        raise Faults(faults)
    first = {baseline: options[baseline], **options}
    number = written.replications if isinstance(written.replications, int) else written.replications.at_most
    design = Design(
        name=written.name,
        label={str(key): text for key, text in written.label.items()},
        file=file,
        scenario_file=scenario_file,
        world=world,
        settings=(*(f"{each.path}={each.text}" for each in own), *settings),
        baseline=baseline,
        options=first,
        futures=tuple(futures),
        layout=made.layout,
        seed=written.seed if seed is None else seed,
        replications=number if replications is None else replications,
        precision=_precision(written, document) if replications is None else None,
        offset=0,
        level=level,
        given=tuple(settings),
        inputs={"experiment.yaml": file.read_bytes(), "scenario.yaml": scenario_file.read_bytes()},
    )
    design.asked = (
        *asked_settings(settings),
        *(asked_number("n", design.replications, number) if isinstance(written.replications, int) else ()),
        *asked_number("seed", design.seed, written.seed),
        *asked_number("level", 100 * level, 100 * USUAL_LEVEL),
    )
    if design.precision is None and isinstance(written.replications, Until):
        design.asked = (*design.asked, f"n{design.replications}")  # also where it is the most that the file allows
    return design, _wanted(written, document)


def plain_design(
    file: Path,
    world: ResolvedTree,
    arms: Sequence[Arm],
    settings: Sequence[str],
    *,
    seed: int,
    replications: int,
    level: float = USUAL_LEVEL,
    kind: Kind = "compare",
    asked: Sequence[str] = (),
    futures: Sequence[Future] = (),
    parts: bool = True,
    doubts: bool = True,
    changes: Sequence[str] = (),
    how: Execution = ALONE,
) -> Design:
    """
    Return the design of a comparison, or of one arm: some arms (baseline first) of a scenario as it is written, or in
    some futures.

    `asked`: which arms were asked for, when these are not the usual ones, as words of a folder's name. `parts`: whether
    a comparison also runs its arms with unlimited units, which divides differences of durations into a direct part and
    congestion; `doubts`: whether also at the low and high ends of the doubts that regime and scenario name. `changes`:
    settings that hold in all arms but the baseline. `how`: in which processes plans are made, where it takes long.
    """
    design = draft_comparison(file, world, arms, settings, changes)
    design.futures = tuple(futures) or design.futures
    design.seed, design.replications, design.level, design.kind = seed, replications, level, kind
    several = kind == "compare" and len(arms) > 1
    if several and parts:
        design.beside += (unlimited_units(),)
    if several and doubts:
        design.beside += tuple(ends_of_doubts(world))
    design.asked = (
        *asked,
        *(() if parts else ("no-parts",)),
        *(() if doubts else ("no-doubts",)),
        *asked_settings(settings),
        *asked_settings(changes),
        *asked_number("n", replications, USUAL_REPLICATIONS),
        *asked_number("seed", seed, USUAL_SEED),
        *asked_number("level", 100 * level, 100 * USUAL_LEVEL),
    )
    return complete(design, [], how)


def grid_design(
    file: Path,
    world: ResolvedTree,
    arms: Sequence[Arm],
    settings: Sequence[str],
    vary: Mapping[str, object],
    *,
    seed: int,
    replications: int,
    level: float = USUAL_LEVEL,
    how: Execution = ALONE,
) -> Design:
    """
    Return the design of some arms (baseline first) of a scenario in every combination of values: `vary` is what stands
    below `futures: grid:` in the file of an experiment. `how`: in which processes plans are made, where it takes long.
    Raises Faults.
    """
    tree = {
        "zonesim": 1,
        "kind": "experiment",
        "name": "sweep",
        "scenario": str(file),
        "arms": {arm.name: [] for arm in arms},
        "futures": {"grid": {path: _plain(values) for path, values in vary.items()}},
    }
    document = Document("vary", tree)
    written = check(Experiment, tree, {}, {}, file="vary")
    design = draft_comparison(file, world, arms, settings)
    design.seed, design.replications, design.level, design.kind = seed, replications, level, "sweep"
    measures = dict.fromkeys(each.measure for arm in arms for each in arm.measures)
    design.futures = tuple(futures_of(written, document, world, list(measures), arms=len(arms), seed=seed))
    if faults := _clashes(world, design.options, design.futures):
        raise Faults(faults)
    return complete(design, [], how)


def _plain(values: object) -> object:
    """Return values as a file would have them: lists and mappings, no tuples or ranges."""
    if isinstance(values, Mapping):
        return {key: _plain(each) for key, each in values.items()}
    return values if isinstance(values, str) or not isinstance(values, Iterable) else list(values)


def draft_comparison(
    file: Path, world: ResolvedTree, arms: Sequence[Arm], settings: Sequence[str], changes: Sequence[str] = ()
) -> Design:
    """
    Return the design of a comparison without its plans, with the usual options; `changes` hold in all arms but the
    baseline. Raises ScenarioFault.
    """
    edits = tuple(setting_given(text, "--change") for text in changes)
    for own in edits:
        if own.path == FUTURE:
            raise ScenarioFault("an arm has a future of its own", own.request.place, _CHOSEN)
    return Design(
        name=str(world.tree.get("name")),
        label={},
        file=file,
        scenario_file=file,
        world=world,
        settings=tuple(settings),
        baseline=arms[0].name,
        options={arm.name: Option(arm, edits if number else ()) for number, arm in enumerate(arms)},
        futures=(Future(),),
        seed=USUAL_SEED,
        replications=USUAL_REPLICATIONS,
        offset=0,
        kind="compare",
        given=tuple(settings),
        changed=tuple(changes),
        inputs={"scenario.yaml": file.read_bytes()},
    )


def complete(design: Design, wanted: Sequence[tuple[str, Place]], how: Execution = ALONE) -> Design:
    """
    Compile every arm in every future and choose what is reported: the KPIs in `wanted`, or the headlines. `how`: in
    which processes, where it takes long.

    Raises Faults with what is wrong in any of them, each fault once.
    """
    _check_runs(design)
    faults: list[ScenarioFault] = []
    cells: dict[tuple[str, str], Combination] = {}
    plans: dict[str, Plan] = {}
    resolved: dict[str, ResolvedArm] = {}
    planner = Planner(design.sketch(*(each.future for each in design.beside if each.future is not None)))
    for each in planned(planner, faults, how):
        design.offset = each.offset
        cell = each.cell
        same = plans.setdefault(cell.key, cell.plan)  # many packages of measures have one plan, which is kept once
        if same is not cell.plan and same.names == cell.plan.names:
            cell = replace(cell, plan=same)
        cells |= {(name, each.future): cell for name in each.names}
        if each.future == design.futures[0].name and each.arm is not None:
            resolved |= dict.fromkeys(each.names, each.arm)
    if not faults:
        design.resolved = Arms(planner, resolved)
        for beside in design.beside:
            if beside.future is None:
                first = ((name, cells[name, design.futures[0].name]) for name in design.options)
                cells |= {(name, beside.name): _unlimited(cell, design) for name, cell in first}
        run = [*(future.name for future in design.futures), *(beside.name for beside in design.beside)]
        pairs = ((name, what) for what in run for name in design.options)
        design.cells = {pair: cells[pair] for pair in pairs}
        main = {cell.key: cell.plan for cell in design.main().values()}
        known = {kpi.id: kpi for plan in main.values() for kpi in catalogue(plan)}
        design.kpis = tuple(known.values())
        design.reported = tuple(dict.fromkeys(name for name, _ in wanted)) or tuple(
            kpi.id for kpi in design.kpis if kpi.headline
        )
        also = zip(design.precision.kpis, design.precision.places, strict=True) if design.precision is not None else ()
        faults += [
            UnknownName(f"no KPI '{name}' in this experiment", place, suggest(name, known))
            for name, place in (*wanted, *also)
            if name not in known
        ]
    if faults:
        raise Faults(faults)
    return design


def _unlimited(cell: Combination, design: Design) -> Combination:
    """Return an arm with as many units of everything as are asked for."""
    plan = without_limits(cell.plan)
    return replace(cell, plan=plan, key=cell_key(plan, design.seed, design.offset))


def _check_runs(design: Design) -> None:
    """Raise ScenarioFault when there is more to run than can be kept account of."""
    cells = len(design.options) * (len(design.futures) + len(design.beside))
    if cells > MOST_CELLS:
        fault = f"{len(design.options)} arms in {len(design.futures)} futures, together more than {MOST_CELLS:,}"
        raise ScenarioFault(fault, Place(str(design.file)), "Split the experiment.")
    if cells * design.replications > MOST_RUNS:
        runs = f"{cells:,} arms and futures with {design.replications:,} replications each"
        fault = f"{runs}, together more than {MOST_RUNS:,} runs"
        raise ScenarioFault(fault, Place(str(design.file)), "Ask for fewer replications.")


def _precision(written: Experiment, document: Document) -> Precision | None:
    """Return how precise the differences of an experiment have to be, None where it says how often it is run."""
    asked = written.replications
    if isinstance(asked, int):
        return None
    places = tuple(document.place(("replications", "kpis", str(number))) for number in range(len(asked.kpis)))
    return Precision(units.parse_share(asked.until), asked.of, asked.at_least, asked.at_most, tuple(asked.kpis), places)


def _wanted(written: Experiment, document: Document) -> list[tuple[str, Place]]:
    return [(name, document.place(("kpis", str(number)))) for number, name in enumerate(written.kpis)]


def _clashes(world: ResolvedTree, options: dict[str, Option], futures: Sequence[Future]) -> list[ScenarioFault]:
    """Return a fault for every value that an arm and a future both change: what is chosen is no future."""
    faults: list[ScenarioFault] = []
    nature = {(own.path, path) for future in futures for own in future.settings for path in _reached(world, own)}
    for option in options.values():
        faults += [
            ScenarioFault(f"arm '{option.name}' has a future of its own", own.request.place, _CHOSEN)
            for own in option.edits
            if own.path == FUTURE
        ]
        claims = [(path, own.request.place) for own in option.edits for path in _reached(world, own)]
        for each in option.arm.measures:
            place = each.place or Place(f"arm '{option.name}'")
            claims += [(("measures", each.measure, key), each.where(key) or place) for key, _ in each.params]
        for path, place in claims:
            for written, other in nature:
                if overlap(path, other):
                    fault = f"arm '{option.name}' and the futures ('{written}') both change '{dotted(path)}'"
                    faults.append(ScenarioFault(fault, place, _CHOSEN))
    return faults


def _reached(world: ResolvedTree, own: Setting) -> list[tuple[str, ...]]:
    try:
        return list(targets(world, own.request))
    except ScenarioFault:
        return []  # told where the edit is carried out
