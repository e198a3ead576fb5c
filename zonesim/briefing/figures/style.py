"""
One style for every figure: slide size, fonts, colours, where panels stand, and whether texts run into each other.

Figures are drawn on an Agg canvas of their own, so nothing here touches the global state of pyplot. Places are in
inches from the lower left corner of the slide, sizes of letters in points. Texts are cut or wrapped by their drawn
width, never by counting letters.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib import rc_context, rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

from zonesim.briefing.figures import fonts
from zonesim.briefing.figures.png import encoded
from zonesim.briefing.text.words import Language, Words
from zonesim.writing import whole

WIDTH: Final = 40 / 3
HEIGHT: Final = 7.5
DPI: Final = 300
_RULER_DPI: Final = 300
"""A slide of 16:9 as slide programs make it, and dots per inch of the files."""

MARGIN: Final = 0.55
HEAD: Final = 0.9
FOOT: Final = 0.7
"""Inches kept free of panels: at the sides, above for the title, below for the caption."""

LEGEND_SAMPLE: Final = 0.55
"""Inches of a legend for the line before each label."""

TINY: Final = 8.5
SMALL: Final = 10
NORMAL: Final = 11
LARGE: Final = 13
TITLE: Final = 20
TITLES: Final = {1: (0.48,), 2: (0.41, 0.64)}
"""Inches from the upper edge to the middle of each line of a title, by how many there are."""

POINT: Final = 1 / 72
CAPTION_LINES: Final = 2
FOOTERS: Final = ((SMALL, 3, 0.19), (TINY, 4, 0.155))
"""Lines of a caption, and with its notes: size of letters, most lines, and inches from line to line."""

WEEK_HOURS: Final = 168

BETWEEN: Final = "  ·  "
"""What stands between the parts of a caption."""

INK: Final = "#1f1f1f"
PALE: Final = "#6e6e6e"
RULE: Final = "#e2e2e2"
WARN: Final = "#a83f00"
ARMS: Final = (INK, "#0072b2", "#d55e00", "#e69f00", "#8fc7ea")
"""Colours of the arms, baseline first: safe for the colour-blind, dark to light so that they differ in grey."""

DASHES: Final[tuple[str | tuple[float, tuple[float, ...]], ...]] = (
    "-",
    (0.0, (4.0, 1.5)),
    (0.0, (1.0, 1.2)),
    (0.0, (5.0, 1.5, 1.0, 1.5)),
    (0.0, (8.0, 2.0)),
)

_LOOK: Final[Any] = {
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": "#9a9a9a",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 2.2,
    "axes.formatter.limits": (-4, 7),
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.6,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "zonesim",
}


@contextmanager
def look(language: Language = "en") -> Iterator[None]:
    """
    Draw figures in here: they are the same whatever a user's own matplotlib settings say.

    Raises ScenarioFault when the language has no font, or a letter is in no font.
    """
    own = {"font.family": fonts.families(language)}
    own["pdf.fonttype"] = 3 if language == "zh" and fonts.embeds_as_outlines() else 42  # type: ignore[assignment]
    with rc_context(_LOOK | own), fonts.every_letter():
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the path ends with: equal figures give equal bytes."""
    metadata: dict[str, dict[str, Any]] = {
        ".svg": {"Date": None, "Creator": "zonesim"},
        ".pdf": {"CreationDate": None, "Creator": "zonesim", "Producer": None},
    }
    with whole(path) as part:
        if path.suffix == ".png":
            part.write_bytes(_png(figure))
        else:
            figure.savefig(part, dpi=DPI, metadata=metadata[path.suffix], format=path.suffix[1:])


def _png(figure: Figure) -> bytes:
    own = figure.dpi
    figure.set_dpi(DPI)
    try:
        width, height = (int(side) for side in figure.bbox.size)
        paper = _paper(width, height)
        paper.clear()
        figure.draw(paper)
    finally:
        figure.set_dpi(own)
    return encoded(np.asarray(paper.buffer_rgba()), DPI)


@lru_cache(1)
def _paper(width: int, height: int) -> Any:  # noqa: ANN401  matplotlib gives it no type
    """Return what figures of this size (dots) are drawn on one after the other; new paper takes as long as a figure."""
    renderer: Any = RendererAgg
    return renderer(width, height, DPI)


def slide(title: str, caption: str, notes: Sequence[str] = (), mark: str = "") -> Figure:
    """
    Return an empty slide: title above, caption below, over it the notes; over the title `mark`, which catches the eye.

    A title too long for its line is set smaller, then in two lines, then cut. A caption takes two lines at most, with
    the notes three, or four in smaller letters; what is longer is cut.
    """
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    room = WIDTH - 2 * MARGIN
    size = next((size for size in range(TITLE, LARGE, -1) if width_of(title, size, bold=True) <= room), LARGE)
    heading = two_lines(title, room, size, bold=True)
    for text, place in zip(heading, TITLES[len(heading)], strict=True):
        put(figure, MARGIN, HEIGHT - place, text, size, bold=True)
    if mark:
        put(figure, MARGIN, HEIGHT - 0.19, fit(mark, room, NORMAL, bold=True), NORMAL, colour=WARN, bold=True)
    lines, letters, pitch = _footer(caption, notes, room)
    for number, line in enumerate(reversed(lines)):
        put(figure, MARGIN, 0.2 + pitch * number, fit(line, room, letters), letters, colour=PALE)
    return figure


def _footer(caption: str, notes: Sequence[str], room: float) -> tuple[list[str], float, float]:
    """Return the lines of notes and caption, the size of their letters, and inches from line to line."""
    lines: list[str] = []
    above: list[str] = []
    for letters, most, pitch in FOOTERS:
        lines, above = wrap(caption.split(BETWEEN), room, letters, BETWEEN), wrap(notes, room, letters, BETWEEN)
        if len(lines) <= CAPTION_LINES and len(lines) + len(above) <= most:
            return [*above, *lines], letters, pitch
    lines = _squeezed(lines, CAPTION_LINES)
    return [*_squeezed(above, most - len(lines)), *lines], letters, pitch


def _squeezed(lines: list[str], most: int) -> list[str]:
    """Return so many lines at most, what is left over behind the last one."""
    return lines if len(lines) <= most else [*lines[: most - 1], BETWEEN.join(lines[most - 1 :])]


def put(figure: Figure, x: float, y: float, text: str, size: float, *, colour: str = INK, bold: bool = False) -> Text:
    """Write a line of text that begins at x, with its middle at height y."""
    weight = "bold" if bold else "normal"
    return figure.text(
        x / WIDTH, y / HEIGHT, text, fontsize=size, color=colour, weight=weight, ha="left", va="center_baseline"
    )


def panels(
    figure: Figure,
    rows: int,
    columns: int,
    *,
    left: float,
    above: float,
    below: float = 0.6,
    gap: float = 0.25,
    top: float = 0.0,
) -> list[Axes]:
    """
    Return axes in rows and columns that fill the slide below `top` inches kept free, row by row.

    Each has `left` inches for the labels of its vertical axis, `above` for its title and legend, `below` for the
    labels of its horizontal axis; `gap` keeps columns apart.
    """
    wide = (WIDTH - 2 * MARGIN - gap * (columns - 1)) / columns
    high = (HEIGHT - HEAD - FOOT - top) / rows
    found = []
    for row in range(rows):
        for column in range(columns):
            x, y = MARGIN + column * (wide + gap) + left, HEIGHT - HEAD - top - (row + 1) * high + below
            box = (x / WIDTH, y / HEIGHT, (wide - left) / WIDTH, (high - above - below) / HEIGHT)
            found.append(plain(figure.add_axes(box)))
    return found


def columns(
    figure: Figure, parts: Sequence[tuple[float, float]], *, above: float, below: float = 0.6, top: float = 0.0
) -> list[Axes]:
    """
    Return axes beside each other below `top` inches kept free: of each part the inches for the labels of its vertical
    axis, and its share of the width that all labels leave; `above` and `below` as of `panels`.
    """
    free = WIDTH - 2 * MARGIN - sum(left for left, _ in parts)
    high = HEIGHT - HEAD - FOOT - top - above - below
    found, x = [], MARGIN
    for left, share in parts:
        wide = free * share / sum(own for _, own in parts)
        box = ((x + left) / WIDTH, (FOOT + below) / HEIGHT, wide / WIDTH, high / HEIGHT)
        found.append(plain(figure.add_axes(box)))
        x += left + wide
    return found


def plain(axes: Axes) -> Axes:
    """Return axes without the lines above and on the right, their grid behind what is drawn."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=SMALL)
    axes.set_axisbelow(True)
    return axes


def title(axes: Axes, text: str, *, above: float) -> None:
    """Write the title of a panel `above` inches over it, in smaller letters or cut where the panel ends."""
    shown, size = shrunk(text, axes.get_position().width * WIDTH, NORMAL, bold=True)
    axes.set_title(shown, fontsize=size, loc="left", weight="bold", pad=above / POINT)


def long_title(axes: Axes, text: str, *, above: float) -> None:
    """Write the title of a panel `above` inches over it in one line or two."""
    lines = two_lines(text, axes.get_position().width * WIDTH, NORMAL, bold=True)
    axes.set_title("\n".join(lines), fontsize=NORMAL, loc="left", weight="bold", pad=above / POINT)


def legend(axes: Axes, handles: Sequence[Artist], labels: Sequence[str]) -> None:
    """Write a legend line by line between a panel and its title."""
    room = axes.get_position().width * WIDTH - LEGEND_SAMPLE
    axes.legend(
        handles,
        [fit(label, room, SMALL) for label in labels],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        fontsize=SMALL,
        frameon=False,
        borderpad=0,
        borderaxespad=0.5,
        handlelength=2.4,
        labelspacing=0.3,
    )


def legend_above(figure: Figure, handles: Sequence[Artist], labels: Sequence[str], *, sample: float = 2.6) -> int:
    """
    Write one legend for all panels under the title, in as many rows as it needs; return how many.

    `sample`: how long the line or patch before each label is, in letters.
    """
    room = WIDTH - 2 * MARGIN
    short = [fit(label, room - 0.6, NORMAL) for label in labels]
    widths = [width_of(label, NORMAL) + (sample + 2.3) * NORMAL * POINT for label in short]
    rows: list[list[int]] = [[]]
    for place, width in enumerate(widths):
        if rows[-1] and sum(widths[other] for other in rows[-1]) + width > room:
            rows.append([])
        rows[-1].append(place)
    for number, row in enumerate(rows):
        figure.legend(
            [handles[place] for place in row],
            [short[place] for place in row],
            loc="center left",
            bbox_to_anchor=(MARGIN / WIDTH, (HEIGHT - HEAD + 0.02 - 0.28 * number) / HEIGHT),
            ncols=len(row),
            fontsize=NORMAL,
            frameon=False,
            borderpad=0,
            borderaxespad=0,
            handlelength=sample,
            handletextpad=0.6,
            columnspacing=1.6,
        )
    return len(rows)


def arm_look(position: int) -> dict[str, Any]:
    """Return colour and line style of an arm; the baseline is 0."""
    return {"color": ARMS[position % len(ARMS)], "linestyle": DASHES[position % len(DASHES)]}


def week_axis(axes: Axes, say: Words) -> None:
    """Divide a horizontal axis of 168 hours into the days of the week, Monday first."""
    axes.set_xlim(0, WEEK_HOURS)
    axes.set_xticks(range(0, WEEK_HOURS + 1, 24), [""] * 8)
    axes.set_xticks(range(12, WEEK_HOURS, 24), [say(f"day.{day}") for day in range(7)], minor=True)
    axes.tick_params(axis="x", which="minor", length=0, labelsize=SMALL)
    for day in range(1, 7):
        axes.axvline(24 * day, color=RULE, linewidth=0.8, zorder=0.5)


def rgb(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue, each from 0 to 1."""
    return to_rgb(colour)


def grey(colour: object) -> float:
    """Return how light a colour is when printed in grey, from 0 (black) to 1 (white)."""
    red, green, blue = to_rgb(colour)  # type: ignore[arg-type]  # any form that matplotlib takes
    return 0.299 * red + 0.587 * green + 0.114 * blue


def number(value: float) -> str:
    """Return a number as people read it: about three digits, never with an exponent; a dash for nan."""
    size = abs(value)
    if math.isnan(value):
        return "-"
    if size == 0:
        return "0"
    if size < 0.001:  # noqa: PLR2004
        return "<0.001" if value > 0 else ">−0.001"
    digits = 0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 0.1 else 3  # noqa: PLR2004
    return f"{value:,.{digits}f}".replace("-", "−")


def percent(share: float) -> str:
    """Return a share as people read it: `8 %`."""
    text = f"{100 * share:.2f}".rstrip("0").rstrip(".")
    return f"{text} %" if share == 0 or text != "0" else "<0.01 %"


def with_limits(value: float, half: float) -> str:
    """Return a signed number and half the width of its interval (nan: none), to the second digit of the latter."""
    digits = 2 if math.isnan(half) else _digits(half)
    words = "0" if round(value, digits) == 0 else f"{value:+,.{digits}f}".replace("-", "−")
    return words if math.isnan(half) or round(half, digits) == 0 else f"{words} ± {half:,.{digits}f}"


def between(value: float, low: float, high: float) -> tuple[str, str, str]:
    """Return a number and its limits, to the second digit of half their distance."""
    if not high > low:
        return number(value), number(low), number(high)
    digits = _digits((high - low) / 2)
    value, low, high = (0.0 if round(each, digits) == 0 else each for each in (value, low, high))
    told = [f"{each:,.{digits}f}".replace("-", "−") for each in (value, low, high)]
    return told[0], told[1], told[2]


def _digits(half: float) -> int:
    """Return how many digits behind the point show the first two of half an interval: three at most."""
    return 3 if half <= 0 else min(max(1 - math.floor(math.log10(half)), 0), 3)


# --- texts by their width


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a drawn line in inches."""
    return _width(text, size, bold, tuple(rcParams["font.family"]))


@lru_cache(maxsize=100_000)
def _width(text: str, size: float, bold: bool, families: tuple[str, ...]) -> float:  # noqa: FBT001
    font = FontProperties(family=families, size=size, weight="bold" if bold else "normal")
    width, _, _ = _ruler().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _RULER_DPI


@cache
def _ruler() -> Any:  # noqa: ANN401  matplotlib gives it no type
    """Return a renderer that measures letters as they will be in the file: their widths depend on its resolution."""
    renderer: Any = RendererAgg
    return renderer(1, 1, _RULER_DPI)


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """Return the text, or as much of its beginning as fits into `room` inches, with an ellipsis."""
    if width_of(text, size, bold=bold) <= room:
        return text
    short, long = 0, len(text)
    while long - short > 1:
        middle = (short + long) // 2
        if width_of(text[:middle].rstrip() + "…", size, bold=bold) <= room:
            short = middle
        else:
            long = middle
    return text[:short].rstrip() + "…" if short else ""


def shrunk(text: str, room: float, size: float, *, bold: bool = False) -> tuple[str, float]:
    """Return a text and the size, at most `size`, at which it fits; one that fits at none is cut."""
    sizes = [each for each in (NORMAL, SMALL, TINY) if each <= size]
    found = next((each for each in sizes if width_of(text, each, bold=bold) <= room), TINY)
    return fit(text, room, found, bold=bold), found


def wrapped(
    texts: Sequence[str], room: float, size: float, *, lines: int = 2, bold: bool = False
) -> tuple[list[str], float]:
    """
    Return texts in one line each, or in two (`lines`), and the size, at most `size`, at which all of them fit; those
    that fit at none are cut.
    """
    tries = [(each, most) for each in (LARGE, NORMAL, SMALL, TINY) if each <= size for most in range(1, lines + 1)]
    for found, most in tries:
        shown = [two_lines(text, room, found, bold=bold) for text in texts]
        whole = all(
            "".join(own).replace(" ", "") == text.replace(" ", "") for own, text in zip(shown, texts, strict=True)
        )
        if whole and max(map(len, shown), default=1) <= most:
            return ["\n".join(own) for own in shown], found
    return ["\n".join(two_lines(text, room, TINY, bold=bold)[:lines]) for text in texts], TINY


def _letters(lines: Sequence[str]) -> str:
    return "".join("".join(lines).split())


def name_rows(axes: Axes, names: Sequence[str], room: float, size: float) -> None:
    """Write the names of rows beside a panel, the first above, in one line or two where rows are high enough."""
    high = axes.get_position().height * HEIGHT / max(len(names), 4)
    shown, letters = wrapped(names, room, size, lines=2 if high > 2.4 * TINY * POINT else 1)
    axes.set_yticks(range(len(names)), shown, fontsize=letters)


def two_lines(text: str, room: float, size: float, *, bold: bool = False) -> list[str]:
    """Return a text in one line or two, the second cut where it is still too long; Latin words stay whole."""
    if width_of(text, size, bold=bold) <= room:
        return [text]
    short, long = 1, len(text)
    while long - short > 1:
        middle = (short + long) // 2
        short, long = (middle, long) if width_of(text[:middle].rstrip(), size, bold=bold) <= room else (short, middle)
    space = text.rfind(" ", 0, short + 1)
    end = space if space > 0 and text[short - 1].isascii() and text[short].isascii() else short
    return [text[:end].rstrip(), fit(text[end:].lstrip(), room, size, bold=bold)]


def wrap(parts: Iterable[str], room: float, size: float, between: str = " ") -> list[str]:
    """Return lines of parts, each line within `room` inches unless one part alone is wider."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and width_of(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


# --- whether texts run into each other


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """
    Return the pairs of visible texts whose drawn boxes intersect, and texts that leave the slide (paired with `edge`).

    Boxes that share less than a pixel at 100 dots per inch do not count.
    """
    figure.canvas.draw()
    renderer = _renderer(figure)
    unseen = {id(text) for axes in figure.axes for text in _undrawn_labels(axes)}
    boxes = []
    for artist in figure.findobj(Text):
        if id(artist) not in unseen and _shown(artist) and artist.get_text().strip():
            box = artist.get_window_extent(renderer)
            if box.width > 0 and box.height > 0:
                boxes.append((artist.get_text(), box))
    width, height = figure.bbox.width, figure.bbox.height
    found = []
    for place, (text, box) in enumerate(boxes):
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1:
            found.append((text, "edge"))
        for other, second in boxes[:place]:
            shared = min(box.x1, second.x1) - max(box.x0, second.x0), min(box.y1, second.y1) - max(box.y0, second.y0)
            if min(shared) > 1:
                found.append((text, other))
    return found


def _renderer(figure: Figure) -> Any:  # noqa: ANN401  matplotlib gives it no type
    canvas: Any = figure.canvas
    return canvas.get_renderer()


def _undrawn_labels(axes: Axes) -> list[Text]:
    """Return labels that matplotlib keeps but does not draw: of ticks beyond the limits, of axes switched off."""
    found: list[Text] = []
    for axis in (axes.xaxis, axes.yaxis):
        texts = axis.findobj(Text)
        if not axes.axison or not axis.get_visible():
            found += texts
            continue
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if not low - slack <= tick.get_loc() <= high + slack:
                found += [tick.label1, tick.label2]
    return found


def _shown(artist: Artist) -> bool:
    """Return whether an artist is drawn: it and the axes that contain it are visible."""
    axes: Artist | None = getattr(artist, "axes", None)
    return all(each.get_visible() for each in (artist, axes) if each is not None)
