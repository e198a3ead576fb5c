"""A briefing as one HTML file that needs no network: legible on a phone, and in grey on paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from zonesim.briefing.brief.model import Briefing, Chart, text_of
from zonesim.briefing.brief.svg import svg_of
from zonesim.writing import write_text


def write_html(path: Path, briefing: Briefing) -> None:
    """Write a briefing as HTML, whole or not at all; raises ScenarioFault when it cannot be written."""
    write_text(path, _template().render(b=briefing, svg_of=_drawn, text_of=text_of))


def _drawn(chart: Chart) -> Markup:
    """Return a chart as markup: the drawing has escaped every label."""
    return Markup(svg_of(chart))  # noqa: S704


@cache
def _template() -> Template:
    loader = PackageLoader("zonesim.briefing.brief", "templates")
    environment = Environment(
        autoescape=True, loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("briefing.html")
