"""Figures: nothing runs into anything else, whatever the names and numbers; process maps say what an arm changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread

from tests.made_up import NAN, kpis, made_up, ordinary, resolved, world_with
from zonesim.analysis import compare
from zonesim.briefing.figures import style
from zonesim.briefing.figures.comparison import FigureContext, attempt, draw_all, figures
from zonesim.briefing.figures.dwell import dwell_figure
from zonesim.briefing.figures.process_map import MOST_ROWS
from zonesim.briefing.text.process_map import Node, flows_changed, tree
from zonesim.kpi import RunResult
from zonesim.policy import ResolvedArm, ResolvedTree

LONG = "An uncommonly long name, as it is given by committees that cannot agree on what to leave out, $x_1$ & 100 %"


def name_everything(world: ResolvedTree) -> None:
    """Give the scenario, its flows, steps and lanes the longest names that people come up with."""
    world.tree["name"] = "a-zone-with-a-name-that-goes-on-and-on-as-if-nobody-would-ever-have-to-read-it-x"
    world.tree["clock"]["warm_up"] = "1234567.25 min"
    for name, flow in world.tree["library"].items():
        world.open(("library", name, "label"))["label"] = {"en": LONG}
        for step in flow["steps"]:
            world.open(("library", name, "steps", step, "label"))["label"] = {"en": LONG}
    for lanes in ("lanes_in", "lanes_out"):
        world.tree["zones"]["TYP"][lanes]["label"] = {"en": LONG}


def add_steps(world: ResolvedTree) -> None:
    """Put forty steps before the others of the transfer."""
    flow = world.open(("library", "F5", "steps"))
    flow["steps"] = {f"wait_{number}": {"take": f"{number + 1} min"} for number in range(40)} | flow["steps"]


def many_arms() -> dict[str, ResolvedArm]:
    """Return as many arms as there are measures in the plan, with the names that they would have."""
    first, last = ordinary().values()
    names = [str(number) for number in range(1, 22)]
    return {"R1": first} | dict.fromkeys(names, last) | {"+".join(names): last}


CASES: dict[str, Callable[[], FigureContext]] = {
    "ordinary": lambda: made_up(ordinary()),
    "one replication": lambda: made_up(ordinary(), n=1),
    "four arms": lambda: made_up(resolved(world_with(), ["11", "10"])),
    "every arm of the plan": lambda: made_up(many_arms()),
    "tiny numbers": lambda: made_up(ordinary(), scale=1e-7),
    "large numbers": lambda: made_up(ordinary(), scale=1e5),
    "all zero": lambda: made_up(ordinary(), scale=0.0),
    "no curves": lambda: made_up(ordinary(), curves=False, missing=NAN),
    "half missing": lambda: made_up(ordinary(), missing=0.5),
    "long names": lambda: made_up(resolved(world_with(name_everything))),
    "long flows": lambda: made_up(resolved(world_with(add_steps))),
}


SLOW = {
    "every arm of the plan",
    "large numbers",
    "tiny numbers",
    "four arms",
    "long flows",
    "long names",
    "half missing",
    "all zero",
}


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow) if case in SLOW else case for case in CASES]
)
def test_no_text_runs_into_another(case: str) -> None:
    """No two texts of a figure intersect and none leaves the slide, with ordinary and with extreme inputs."""
    found = figures(CASES[case]())

    assert {name: style.overlaps(figure) for name, figure in found.items()} == {name: [] for name in found}


def test_all_figures_are_drawn() -> None:
    """
    A comparison gives the process maps of the flows that it changes, its effects, dwell, stages, and the gate over the
    day and the week; of what is not drawn it says why.
    """
    maps = ["process_map_F5", "process_map_gate", "process_map_F4b"]
    expected = [*maps, "effects", "effects_2", "effects_3", "dwell", "stages", "gate_queue", "week"]
    context = made_up(ordinary())

    assert expected == list(figures(context))
    assert {name: why for name, why in attempt(context).items() if isinstance(why, str)} == {
        "waterfall": "needs an arm whose measures are each alone in other arms",
        "frontier": "fewer than three arms",
        "zones": "there are fewer than two modelled zones",
        "zone_map": "fewer than 3 modelled zones have a position (lat, lon)",
    }


def test_figures_without_data_are_left_out() -> None:
    """Without measured consignments, means and curves, only process maps are drawn."""
    context = made_up(ordinary())
    empty = {arm: [RunResult({})] for arm in context.arms}
    bare = FigureContext(context.arms, empty, compare(empty, [kpi.id for kpi in kpis()]), kpis(), seed=1)

    assert all(name.startswith("process_map_") for name in figures(bare))


@pytest.mark.slow
def test_files_are_slides(tmp_path: Path) -> None:
    """Every figure is a file of 16:9 at 300 dots per inch; figures of an earlier comparison are taken away."""
    (tmp_path / "process_map_old.png").touch()
    (tmp_path / "notes.png").touch()

    paths = draw_all(tmp_path, made_up(ordinary()))

    assert [(2250, 4000)] * len(paths) == [imread(path).shape[:2] for path in paths]
    assert {path.name for path in paths} | {"notes.png"} == {path.name for path in tmp_path.iterdir()}


def test_own_settings_do_not_matter() -> None:
    """A user's matplotlib settings neither change a figure nor are they changed."""
    expected = np.asarray(_pixels(made_up(ordinary())))
    with mpl.rc_context({"font.size": 30, "axes.linewidth": 9, "lines.linewidth": 7, "text.color": "red"}):
        before = mpl.rcParams.copy()
        found = _pixels(made_up(ordinary()))
        after = mpl.rcParams.copy()

    assert np.array_equal(expected, found)
    assert before == after


def _pixels(context: FigureContext) -> np.ndarray:
    with style.look():
        figure = dwell_figure(context)
        figure.canvas.draw()
        return np.asarray(figure.canvas.buffer_rgba()).copy()


def test_caption_says_where_numbers_come_from() -> None:
    """The caption names the scenario, that it is synthetic, the arms, replications, seed and window."""
    caption = made_up(ordinary(), n=1).caption()

    for part in (
        "Scenario A busy medium zone (synthetic)",
        "arms without measures, measures 10, 11",
        "1 replication",
        "seed 1",
        "4 weeks after 3 weeks of warm-up",
    ):
        assert part in caption


def test_dwell_counts_the_missing() -> None:
    """A median or P95 that falls among consignments without an end is not given, and their share is."""
    figure = dwell_figure(made_up(ordinary(), missing=0.2))
    labels = [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]

    assert labels
    assert all("P95 n/a, 20 % missing" in label for label in labels)


def test_dwell_says_that_an_arm_is_unstable() -> None:
    """Of an arm that is not stable no median and no P95 is told, and no curve drawn: they depend on the run length."""
    context = made_up(ordinary())
    arm = context.names[-1]
    grown = {kpi.id for kpi in context.kpis if kpi.id.endswith(".dwell.mean")}
    comparison = compare(context.results, [kpi.id for kpi in context.kpis], unstable={arm: grown})
    figure = dwell_figure(replace(context, comparison=comparison))
    for axes in figure.axes:
        words = [text.get_text() for text in axes.get_legend().get_texts()]

        assert "unstable" in words[-1]
        assert "median" in words[0]
        assert len([line for line in axes.get_lines() if len(line.get_xdata()) > 1]) == 1


def test_colours_differ_in_grey() -> None:
    """Any two arms differ in a grey print, in lightness and in their dashes."""
    assert min(abs(style.grey(one) - style.grey(two)) for one, two in combinations(style.ARMS, 2)) > 0.09
    assert len(style.ARMS) == len(set(style.DASHES))


def as_seen(colour: str, loss: np.ndarray) -> np.ndarray:
    """Return a colour as people see it who lack one kind of cone, in linear red, green and blue."""
    linear = np.array([part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)])
    return np.clip(loss @ linear, 0, 1)


@pytest.mark.parametrize(
    "loss",
    [
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    ],
    ids=["deuteranopia", "protanopia"],
)
def test_colours_differ_for_the_colour_blind(loss: list[list[float]]) -> None:
    """
    Any two arms differ by ten units of CIELAB or more for those who lack the cones for green or red (Machado, Oliveira,
    Fernandes 2009).
    """

    def lab(colour: str) -> np.ndarray:
        weights = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
        ratio = np.array(weights) @ as_seen(colour, np.array(loss)) / np.array([0.9505, 1.0, 1.089])
        x, y, z = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
        return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])

    assert min(np.linalg.norm(lab(one) - lab(two)) for one, two in combinations(style.ARMS, 2)) > 10


# --- overlaps


def test_overlaps_finds_crossing_texts() -> None:
    """Two texts at one place, and one that leaves the slide, are found."""
    figure = style.slide("Title", "caption")
    style.put(figure, 5, 4, "one", 12)
    style.put(figure, 5.1, 4, "two", 12)
    style.put(figure, style.WIDTH - 0.2, 2, "leaves", 12)

    assert {("two", "one"), ("leaves", "edge")} == set(style.overlaps(figure))


def test_overlaps_sees_what_is_drawn_only() -> None:
    """Invisible and empty texts, labels of axes that are off, and labels of ticks beyond the limits do not count."""
    figure = style.slide("Title", "caption")
    style.put(figure, 5, 4, "one", 12)
    style.put(figure, 5, 4, "hidden", 12).set_visible(False)
    style.put(figure, 5, 4, " ", 12)
    first, second = style.panels(figure, 1, 2, left=0.5, above=0.5)
    first.set_axis_off()
    first.set_yticks([0, 0.001], ["a label", "a label"])
    second.set_xticks([0, 1, 40], ["in", "in too", "beyond the limits"])
    second.set_xlim(0, 1)

    assert style.overlaps(figure) == []


# --- words


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (1e-9, "<0.001"),
        (-1e-9, ">−0.001"),
        (0.0123, "0.012"),
        (2.5, "2.50"),
        (155.43, "155.4"),
        (-12345, "−12,345"),
        (NAN, "-"),
    ],
)
def test_numbers_have_no_exponent(value: float, expected: str) -> None:
    """Numbers have about three digits and never an exponent."""
    assert expected == style.number(value)


@pytest.mark.parametrize(
    ("value", "half", "expected"),
    [
        (-38.68, 2.32, "−38.7 ± 2.3"),
        (0.699, 0.0377, "+0.699 ± 0.038"),
        (0, 0, "0"),
        (-3.2, NAN, "−3.20"),
        (1e-9, 1e-9, "0"),
    ],
)
def test_limits_set_the_digits(value: float, half: float, expected: str) -> None:
    """A difference is given to the second digit of its interval."""
    assert expected == style.with_limits(value, half)


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "0 %"), (0.9, "90 %"), (0.0057, "0.57 %"), (1e-9, "<0.01 %"), (1, "100 %")]
)
def test_shares_are_per_cent(share: float, expected: str) -> None:
    """A share is written in per cent, and one that is not zero never as zero."""
    assert expected == style.percent(share)


def test_fit_cuts_by_width() -> None:
    """A text is cut so that what is left, with an ellipsis, is not wider than its room."""
    cut = style.fit("W" * 50, 2.0, 12)

    assert cut.endswith("…")
    assert 1.8 < style.width_of(cut, 12) <= 2.0
    assert style.fit("short", 2.0, 12) == "short"
    assert style.fit("no room", 0.0, 12) == ""


# --- process maps


def steps(flow: Node) -> dict[str, Node]:
    """Return the nodes of a map by their path."""
    found: dict[str, Node] = {}

    def visit(node: Node, path: str) -> None:
        for child in node.children:
            found[f"{path}{child.name}"] = child
            visit(child, f"{path}{child.name}.")

    visit(flow, "")
    return found


def test_map_says_what_each_practice_does() -> None:
    """Steps that adopters walk differently say so, with old and new words and the practice; others are the same."""
    base, arm = ordinary().values()

    gate, goods = (steps(tree(arm, flow, against=base, expand=False)) for flow in ("gate", "F4b"))

    compared, assist, hold = gate["lane.compare"], gate["lane.assist"], gate["lane"]
    assert (compared.status, compared.practices) == ("changed", ("m11.comparison",))
    assert (compared.was.time, compared.facts.time) == ("PERT 50/100/200 s", "PERT 2/4/10 s")
    assert (assist.status, assist.practices) == ("added", ("m11.comparison",))
    assert (hold.was.holds, hold.facts.holds) == ("lanes, gate officers", "lanes")
    assert (goods["approve"].status, goods["approve"].practices) == ("removed", ("m10.simplified",))
    assert (goods["gate_in"].status, goods["gate_in"].inside) == ("same", True)
    assert (goods["unload"].status, goods["unload"].differs()) == ("same", False)


def test_map_by_itself_is_the_conventional_way() -> None:
    """Without an arm to compare with, a map shows the steps of those who follow no practice, and all are the same."""
    base, _ = ordinary().values()

    nodes = steps(tree(base, "F5"))

    assert {node.status for node in nodes.values()} == {"same"}
    assert nodes["documents"].facts.time == "lognormal mean 2 h, cv 0.7"
    assert "gate_in.lane.compare" in nodes, "called flows are shown in place"
    assert "gate_in.light" not in nodes, "steps for other vehicles are not"


def test_flows_whose_adoption_stays_are_not_changed() -> None:
    """A flow of which the arm changes neither the steps nor who follows a practice is not drawn."""
    arms = resolved(world_with(), ["10"])

    assert flows_changed(*arms.values()) == ["F4b"]
    assert flows_changed(arms["R1"], arms["R1"]) == []


def test_long_maps_fold_what_stays() -> None:
    """A map with more steps than a slide holds keeps the steps that change and folds those that do not."""
    arms = resolved(world_with(add_steps))
    changed = [
        node.title()
        for node in steps(tree(arms["10+11"], "F5", against=arms["R1"], expand=False)).values()
        if node.status != "same"
    ]

    figure = figures(made_up(arms))["process_map_F5"]
    texts = [text.get_text() for text in figure.texts]

    assert len(figure.artists) <= 2 * MOST_ROWS
    assert all(texts.count(title) == 2 for title in changed)
    assert any(text.startswith("41 steps unchanged: wait 0") for text in texts)
