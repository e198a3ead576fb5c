"""Figures of what a command found: the context that they are drawn from, and their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from zonesim.analysis import Comparison
from zonesim.briefing.figures import style
from zonesim.briefing.figures.comparison import FigureContext, save_all
from zonesim.briefing.folders import PNG
from zonesim.briefing.text.words import Words
from zonesim.experiment import Design, run_id, told_settings
from zonesim.kpi import RunResult

Figures = dict[str, Figure]
"""Figures by the names of their files."""


def drawn(
    design: Design,
    runs: Mapping[str, Sequence[RunResult]],
    say: Words,
    folder: Path,
    draw: Callable[[FigureContext], Figures],
    stale: Sequence[str] = (),
    *,
    formats: Sequence[str] = PNG,
    futures: int = 1,
) -> list[Path]:
    """
    Draw figures of a design into a folder, in the language of `say`, in place of earlier ones whose names are like
    `stale`; return their files.

    `runs`: by arm the runs that captions count; `formats`: those of the files; `futures`: over how many futures the
    figures are.
    """
    context = context_of(design, runs, say, futures=futures)
    with style.look(say.language):
        figures = draw(context)
    return save_all(folder, figures, context, stale, formats)


def context_of(
    design: Design, runs: Mapping[str, Sequence[RunResult]], say: Words, *, futures: int = 1
) -> FigureContext:
    """Return what figures of a design are drawn from, in the language of `say`; see `drawn`."""
    is_experiment = design.kind in {"sweep", "best"}
    return FigureContext(
        design.resolved,
        runs,
        Comparison(design.baseline, {}, (), design.level),
        design.kpis,
        design.seed,
        say.language,
        labels={name: say.label(dict(option.label), name) for name, option in design.options.items() if option.label},
        run=run_id(design),
        settings=told_settings(design),
        experiment=say.label(design.label, design.name) if is_experiment else "",
        future=say("caption.futures", n=futures) if futures > 1 else "",
    )
