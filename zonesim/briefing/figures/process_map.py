"""Process maps as slides: the baseline on the left, the arm on the right, the same step at the same height."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from zonesim.briefing.figures import style
from zonesim.briefing.figures.context import FigureContext
from zonesim.briefing.folders import file_names
from zonesim.briefing.text.process_map import Node, flows_changed, tree
from zonesim.briefing.text.words import Words

MOST_PAGES: Final = 3
MOST_ROWS: Final = 17
"""Rows that are legible on one slide."""

SIZES: Final = (13.0, 12.0, 11.0, 10.0, 9.5)
"""Sizes of letters, of which the largest is taken with which all words fit."""

PITCH: Final = 0.52
"""Inches from row to row, at most."""

GUTTER: Final = 0.25
KEYS: Final = 0.4
SIDE: Final = (style.WIDTH - 2 * style.MARGIN - GUTTER - KEYS) / 2
"""Inches between the two maps, for the letters on the right, and for one map."""

INDENT: Final = 0.2
PAD: Final = 0.1
BETWEEN: Final = 0.16
DOT: Final = "· "
SPACE: Final = 0.3
"""What stands between further words: a space (in heights of a letter) and a dot."""

LINE: Final = 0.22
"""Inches from line to line of the text below the maps."""

FILL: Final = {"same": "#f4f4f4", "changed": "#d3e7f6", "added": "#d9efe4", "removed": "#ffffff", "inside": "#eef5fb"}
EDGE: Final = {"same": "#c4c4c4", "changed": "#0072b2", "added": "#00805c", "removed": "#8a8a8a", "inside": "#8fb9d9"}
STRONG: Final = {"changed": "#00507e", "added": "#005c42"}
"""Colours of words that differ from the baseline."""


@dataclass(frozen=True)
class _Row:
    """A row of a map: a step at a depth, or without a step the name of a flow or a line for steps left out."""

    depth: int
    text: str
    node: Node | None = None
    is_name: bool = False


@dataclass(frozen=True)
class _Word:
    """A part of what a box says; strong where it differs from the baseline."""

    text: str
    strong: bool


def map_figures(context: FigureContext) -> dict[str, Figure] | str:
    """
    Return the process maps of the flows that the last arm changes, by name, or say why there are none.

    Where there is only the baseline, the maps are those of the flows that the traffic goes through.

    Short maps share a slide; there are at most three slides, and a long map folds steps that stay the same.
    """
    if not context.arms:
        return context.say("no_scenario")
    if context.library_changed:
        return context.say("library_changed")
    last = list(context.arms)[-1]
    base, arm = context.arms[context.baseline], context.arms[last]
    say = context.say
    flows = context.flows() if last == context.baseline else flows_changed(base, arm)
    fold = last != context.baseline
    maps = {flow: _rows(tree(arm, flow, against=base, expand=False, say=say), say, fold=fold) for flow in flows}
    if not maps:
        return say("map.nothing")
    pages = _pages(maps)
    left_out = [flow for flow in maps if not any(flow in page for page in pages)]
    notes = [say("map.also", names=say.listed(map(context.flow_title, left_out)))] if left_out else []
    names = file_names(f"process_map_{'_'.join(page)}" for page in pages)
    drawn = [_Page(context, {flow: maps[flow] for flow in page}, notes).draw() for page in pages]
    return dict(zip(names, drawn, strict=True))


def _rows(flow: Node, say: Words, *, fold: bool) -> list[_Row]:
    """Return the rows of a map; when they are too many, with `fold` runs of unchanged steps become one row each."""
    rows = [_Row(depth, node.title(say.language), node) for depth, node in flow.walk()]
    if fold and len(rows) > MOST_ROWS:
        folded: list[_Row] = []
        for differs, each in groupby(rows, lambda row: row.node is not None and row.node.differs()):
            run = list(each)
            if differs or len(run) == 1:
                folded += run
            else:
                names = say.listed(row.text for row in run)
                words = say("map.unchanged", n=len(run), names=names)
                folded.append(_Row(min(row.depth for row in run), words))
        rows = folded
    if len(rows) > MOST_ROWS:
        rows = [*rows[: MOST_ROWS - 1], _Row(0, say("map.more_rows", n=len(rows) - MOST_ROWS + 1))]
    return rows


def _pages(maps: Mapping[str, Sequence[_Row]]) -> list[list[str]]:
    """Return which maps share a slide: each goes on the first one with room, long ones first."""
    pages: list[list[str]] = []
    for flow in sorted(maps, key=lambda flow: -len(maps[flow])):
        for page in pages:
            # On a shared slide every map has a line with its name.
            if sum(len(maps[other]) + 1 for other in [*page, flow]) <= MOST_ROWS:
                page.append(flow)
                break
        else:
            pages.append([flow])
    return pages[:MOST_PAGES]


class _Page:
    """One slide with the maps of one or more flows."""

    def __init__(self, context: FigureContext, maps: Mapping[str, Sequence[_Row]], notes: Sequence[str]) -> None:
        self.context = context
        self.say = context.say
        self.flows = list(maps)
        self.arm = context.arms[list(context.arms)[-1]]
        titles = [context.flow_title(flow) for flow in maps]
        self.rows: list[_Row] = []
        for flow, title in zip(maps, titles, strict=True):
            self.rows += [_Row(0, title, is_name=True), *maps[flow]] if len(maps) > 1 else maps[flow]
        self.steps = [(row.depth, row.node) for row in self.rows if row.node is not None]
        names = dict.fromkeys(name for _, node in self.steps for name in node.practices)
        self.letters = {name: chr(ord("A") + place % 26) for place, name in enumerate(names)}
        words = [
            self.say("map.box"),
            self.say("map.background"),
            *notes,
        ]
        self.figure = context.slide(self.say("map.title", names=self.say.listed(titles)), words)
        top, bottom = style.HEIGHT - style.HEAD - 0.25, style.FOOT + LINE * len(self.letters) + 0.2
        self.top = top
        self.pitch = min(PITCH, (top - bottom) / len(self.rows))
        self.size, self.time, self.more = self._columns()

    def draw(self) -> Figure:
        """Draw and return the slide."""
        lefts = (style.MARGIN, style.MARGIN + SIDE + GUTTER)
        alone = self.arm.arm.name == self.context.baseline
        for left, head in list(zip(lefts, self._heads(), strict=True))[: 1 if alone else 2]:
            self._write(left, self.top + 0.18, head, SIDE, style.LARGE, bold=True)
        for number, row in enumerate(self.rows):
            y = self.top - (number + 0.5) * self.pitch
            if row.node is None:
                self._plain_row(row, y, lefts[: 1 if alone else 2])
                continue
            node = row.node
            if node.status != "added":
                self._box(lefts[0], y, row.depth, node, right=False)
            if alone:
                continue
            self._box(lefts[1], y, row.depth, node, right=True)
            keys = " ".join(self.letters[name] for name in node.practices)
            colour = STRONG.get(node.status, style.PALE)
            self._write(lefts[1] + SIDE + 0.1, y, keys, KEYS - 0.1, self.size, colour=colour, bold=True)
        y = self.top - self.pitch * len(self.rows) - 0.22
        for number, (name, letter) in enumerate(self.letters.items()):
            here = y - LINE * number
            self._write(style.MARGIN, here, letter, 0.3, style.NORMAL, colour=STRONG["changed"], bold=True)
            room = style.WIDTH - 2 * style.MARGIN - 0.3
            self._write(style.MARGIN + 0.3, here, self._practice(name), room, style.NORMAL)
        return self.figure

    def _heads(self) -> tuple[str, str]:
        base = self.context.arms[self.context.baseline]
        partly = any(base.touching(flow) for flow in self.flows)
        adopted = any(self.arm.touching(flow) for flow in self.flows)
        first = self.context.arm_label(self.context.baseline)
        second = self.context.arm_label(self.arm.arm.name)
        return (
            self.say("map.base_partly", arm=first) if partly else first,
            self.say("map.adopters", arm=second) if adopted else second,
        )

    def _practice(self, name: str) -> str:
        """Return the line that says what a letter stands for, and who follows it."""
        before = self.context.arms[self.context.baseline].shares.get(name)
        after = self.arm.shares.get(name)
        label, of = self.context.practice(name)
        words = label or name
        if before is None or after is None:
            return self.say("map.everybody", practice=words)
        return self.say(
            "map.followed",
            practice=words,
            before=style.percent(before),
            of=self.say.term(of),
            base=self.context.arm_name(self.context.baseline),
            after=style.percent(after),
            arm=self.context.arm_name(self.arm.arm.name),
        )

    def _columns(self) -> tuple[float, float, float]:
        """
        Return the size of letters, and where times and further words begin, in inches from the left edge of a map.

        When not even the smallest letters fit, titles and times get their share and the rest is cut.
        """
        boxes = [_words(node, self.say, right=right) for _, node in self.steps for right in (False, True)]
        time = more = SIDE
        size = SIZES[-1]
        for size in SIZES:
            titles = [
                INDENT * depth + style.width_of(node.title(self.say.language), size) for depth, node in self.steps
            ]
            time = PAD + max(titles, default=0) + BETWEEN
            # A time without further words may run on to the end of its box.
            times = [self._width(first, size) for first, further in boxes if first and further]
            more = time + (max(times) + BETWEEN if times else 0)
            ends = [
                (more if first and further else time) + self._width(further or first, size) for first, further in boxes
            ]
            if max(ends, default=0) + PAD <= SIDE and size * 1.9 * style.POINT <= self.pitch:
                return size, time, more
        time = min(time, 0.4 * SIDE)
        return size, time, min(more, time + 0.35 * SIDE)

    def _width(self, words: Sequence[_Word], size: float) -> float:
        """Return how wide some words are with what stands between them, in inches."""
        texts = sum(style.width_of(word.text, size, bold=word.strong) for word in words)
        between = style.width_of(DOT, size, bold=True) + SPACE * size * style.POINT
        return texts + max(len(words) - 1, 0) * between

    def _plain_row(self, row: _Row, y: float, lefts: Sequence[float]) -> None:
        if row.is_name:
            self._write(lefts[0], y, row.text, 2 * SIDE, style.NORMAL, bold=True)
            return
        for left in lefts:
            start = INDENT * row.depth + PAD
            self._write(left + start, y, row.text, SIDE - start - PAD, self.size, colour=style.PALE)

    def _box(self, left: float, y: float, depth: int, node: Node, *, right: bool) -> None:
        status = ("inside" if node.inside else node.status) if right else "same"
        indent = INDENT * depth
        height = self.pitch - min(0.18 * self.pitch, 0.07)
        self.figure.add_artist(
            FancyBboxPatch(
                (left + indent, y - height / 2),
                SIDE - indent,
                height,
                boxstyle="round,pad=0,rounding_size=0.05",
                transform=self.figure.dpi_scale_trans,
                facecolor=FILL[status],
                edgecolor=EDGE[status],
                linewidth=1.5 if status in STRONG else 0.8,
                linestyle=(0, (4, 3)) if status == "removed" else "-",
            )
        )
        ink = style.PALE if status == "removed" else STRONG["added"] if status == "added" else style.INK
        first, further = _words(node, self.say, right=right)
        # Without a time the further words begin where times do; without both the title has the whole box.
        reach = self.time if first or further else SIDE
        self._write(
            left + indent + PAD,
            y,
            node.title(self.say.language),
            reach - indent - PAD - BETWEEN / 2,
            self.size,
            colour=ink,
        )
        place = self.more if first else self.time
        for x, end, words in ((self.time, self.more if further else SIDE, first), (place, SIDE, further)):
            here = x
            for word in words:
                text = word.text
                if here > x:
                    text = DOT + text
                    here += SPACE * self.size * style.POINT
                colour = STRONG["changed"] if word.strong else ink
                here += self._write(
                    left + here, y, text, end - here - PAD / 2, self.size, colour=colour, bold=word.strong
                )

    def _write(
        self, x: float, y: float, text: str, room: float, size: float, *, colour: str = style.INK, bold: bool = False
    ) -> float:
        """Write as much of a text as there is room for; return how wide that is, in inches."""
        shown = style.fit(text, room, size, bold=bold)
        if not shown:
            return max(room, 0.0)
        style.put(self.figure, x, y, shown, size, colour=colour, bold=bold)
        return style.width_of(shown, size, bold=bold)


def _words(node: Node, say: Words, *, right: bool) -> tuple[list[_Word], list[_Word]]:
    """Return what a box says after the title: the time, and further words; on the right what differs is strong."""
    if right and node.status == "removed":
        return [_Word(say("map.removed"), strong=False)], []
    facts, other = (node.facts, node.was) if right else (node.was, node.facts)
    marked = right and node.status == "changed"
    time = say("map.inside", flow=facts.time) if right and node.inside else facts.time or facts.check
    strong = marked and time != (other.time or other.check)
    first = [_Word(time.removeprefix("PERT "), strong=strong)] if time else []
    pairs = [
        (facts.condition, other.condition),
        (facts.holds, other.holds),
        (facts.check, other.check) if facts.time else ("", ""),
        (say("map.then", step=facts.then) if facts.then else "", say("map.then", step=other.then)),
    ]
    return first, [_Word(text, strong=marked and text != old) for text, old in pairs if text]
