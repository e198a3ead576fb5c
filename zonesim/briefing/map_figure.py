"""The process map as a slide: the baseline on the left, the arm on the right, the same step at the same height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from zonesim.briefing import style
from zonesim.briefing.process_map import Node, tree
from zonesim.policy import ResolvedArm

ROW: Final = 0.36
"""Height of a step on the slide, in inches."""

INDENT: Final = 0.025
LETTERS: Final = 86
"""Letters that fit into a box at its font size."""

FILL: Final = {"same": "#f2f2f2", "changed": "#cfe4f5", "added": "#d7efe2", "removed": "#ffffff"}
EDGE: Final = {"same": "#b5b5b5", "changed": style.ARMS[0], "added": style.ARMS[2], "removed": "#b5b5b5"}


@dataclass(frozen=True)
class _Line:
    """A step at a depth, as it is in one arm (None: it is not there)."""

    depth: int
    left: Node | None
    right: Node | None


def map_figure(base: ResolvedArm, arm: ResolvedArm, flow: str, title: str, caption: str) -> Figure:
    """Return the process map of a flow in two arms; steps that differ stand out, those that an arm lacks are dashed."""
    lines = _rows(tree(base, flow, expand=False).children, tree(arm, flow, against=base, expand=False).children, 0)
    height = max(style.HEIGHT, 1.5 + ROW * (len(lines) + 1))
    figure = style.slide(title, caption, height=height)
    axes = figure.add_axes((0.03, 0.5 / height, 0.94, 1 - 1.1 / height))
    axes.set_xlim(0, 1)
    rows = max(len(lines) + 0.9, (height - 1.1) / (ROW * 1.25) - 0.6)
    axes.set_ylim(rows, -0.6)
    axes.axis("off")
    for x, resolved, who in ((0.0, base, "conventional"), (0.51, arm, "followed by")):
        shares = ", ".join(f"{use.name} {use.share:.0%}" for use in resolved.touching(flow))
        if x == 0:
            text = f"{resolved.arm.name}: {who}" + (f"; otherwise already {shares}" if shares else "")
        else:
            text = f"{resolved.arm.name}: {who} {shares}" if shares else f"{resolved.arm.name}"
        axes.text(x, -0.25, _cut(text, LETTERS - 12), fontsize=style.SMALL, weight="bold", color=style.INK, va="center")
    for row, line in enumerate(lines):
        for x, node, other in ((0.0, line.left, line.right), (0.51, line.right, line.left)):
            _box(axes, x, row + 0.4, line.depth, node, other, right=x > 0)
    return figure


def _rows(left: list[Node], right: list[Node], depth: int) -> list[_Line]:
    """Return the steps of both maps row by row, equal names beside each other."""
    rights = {node.name: node for node in right}
    lefts = {node.name: node for node in left}
    names = [node.name for node in right]
    for position, node in enumerate(left):
        if node.name not in names:
            earlier = [names.index(other.name) for other in left[:position] if other.name in names]
            names.insert(max(earlier, default=-1) + 1, node.name)
    lines = []
    for name in names:
        one, two = lefts.get(name), rights.get(name)
        lines.append(_Line(depth, one, two))
        lines += _rows(one.children if one else [], two.children if two else [], depth + 1)
    return lines


def _box(axes: Axes, x: float, y: float, depth: int, node: Node | None, other: Node | None, *, right: bool) -> None:
    left = x + INDENT * depth
    width = 0.48 - INDENT * depth
    shown = node or other
    if shown is None:
        return
    absent = node is None or node.status == "removed"
    status = "removed" if node is None or absent else _status(node, other, right=right)
    axes.add_patch(
        FancyBboxPatch(
            (left, y - 0.38),
            width,
            0.76,
            boxstyle="round,pad=0,rounding_size=0.006",
            mutation_aspect=30,
            facecolor=FILL[status],
            edgecolor=EDGE[status],
            linewidth=1.6 if status in {"changed", "added"} else 0.8,
            linestyle="--" if status == "removed" else "-",
        )
    )
    letters = int(LETTERS * width / 0.48)
    text = shown.title() if absent else _text(shown, letters)
    axes.text(
        left + 0.006,
        y,
        _cut(f"{text} (not here)" if absent else text, letters),
        fontsize=style.SMALL,
        color=style.PALE if absent else style.INK,
        va="center",
    )


def _status(node: Node, other: Node | None, *, right: bool) -> str:
    """Return how a step of the arm differs from the baseline's; the baseline's own steps are plain."""
    if not right:
        return "same"
    if other is None or other.status == "removed":
        return "added"
    differs = (node.time, node.holds, node.condition) != (other.time, other.holds, other.condition)
    return "changed" if differs else "same"


def _text(node: Node, letters: int) -> str:
    parts = [
        node.title(),
        node.time,
        f"[{node.condition}]" if node.condition else "",
        f"holds {node.holds}" if node.holds else "",
    ]
    return _cut("   ".join(part for part in parts if part), letters)


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"
