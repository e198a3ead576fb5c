"""One style for every figure: slide size, fonts, colours that differ in grey and for colour-blind readers."""

from __future__ import annotations

from typing import Final

from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

WIDTH: Final = 12.8
HEIGHT: Final = 7.2
DPI: Final = 300

INK: Final = "#222222"
PALE: Final = "#8a8a8a"
BASE: Final = "#5b5b5b"
ARMS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")
"""Colours of the arms after the baseline (Okabe and Ito's colour-blind safe set)."""

DASHES: Final = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
STAGES: Final = ("#08306b", "#2171b5", "#6baed6", "#c6dbef", "#fdae6b", "#d94801")
"""Colours of stages, dark to light and on to another hue."""

SMALL: Final = 9
NORMAL: Final = 11
LARGE: Final = 16


def slide(title: str, caption: str, *, height: float = HEIGHT) -> Figure:
    """Return an empty slide-sized figure with a title and a caption line."""
    figure = Figure(figsize=(WIDTH, height), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    figure.text(0.04, 1 - 0.32 / height, title, fontsize=LARGE, color=INK, ha="left", va="center", weight="bold")
    figure.text(0.04, 0.2 / height, caption, fontsize=SMALL, color=PALE, ha="left", va="center")
    return figure


def colour(position: int) -> str:
    """Return the colour of an arm; the baseline is 0."""
    return BASE if position == 0 else ARMS[(position - 1) % len(ARMS)]


def tidy(axes: object) -> None:
    """Take away frame lines that carry nothing, and lighten the rest."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)  # type: ignore[attr-defined]
    axes.tick_params(labelsize=SMALL, colors=INK)  # type: ignore[attr-defined]
    axes.grid(visible=True, axis="y", color="#e4e4e4", linewidth=0.8)  # type: ignore[attr-defined]
    axes.set_axisbelow(True)  # type: ignore[attr-defined]


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Return the pairs of visible texts whose boxes intersect, and texts that leave the figure (paired with `edge`)."""
    canvas = figure.canvas
    canvas.draw()
    renderer = canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = []
    for artist in figure.findobj(Text):
        label: Text = artist  # type: ignore[assignment]  # findobj returns what it was asked for
        if _shown(label) and label.get_text().strip():
            box = label.get_window_extent(renderer)
            if box.width > 0 and box.height > 0:
                boxes.append((label.get_text(), box))
    width, height = figure.bbox.width, figure.bbox.height
    found = []
    for number, (text, box) in enumerate(boxes):
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
            found.append((text, "edge"))
        for other, other_box in boxes[:number]:
            apart = (
                box.x1 <= other_box.x0 + 1
                or other_box.x1 <= box.x0 + 1
                or box.y1 <= other_box.y0 + 1
                or other_box.y1 <= box.y0 + 1
            )
            if not apart:
                found.append((text, other))
    return found


def _shown(artist: Artist) -> bool:
    """Return whether an artist is drawn: it and all that contain it are visible."""
    axes: Artist | None = getattr(artist, "axes", None)
    return all(each.get_visible() for each in (artist, axes) if each is not None)
