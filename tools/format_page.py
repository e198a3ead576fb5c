"""
The page docs/reference/format.md: hand-written introductions (format_page.md beside this file), and for every mapping
of the format a table of its keys, made from the schema.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from zonesim import limits, units
from zonesim.scenario.schema import json_schema

TEMPLATE = Path(__file__).with_suffix(".md")
MARKER = re.compile(r"^<!-- keys of (\w+) -->$", re.MULTILINE)

WORDS = {
    "Capacity": "whole number or `unlimited`",
    "Staff": "whole number",
    "Count": "whole number",
    "Cv": "number from 0.001 to 100",
    "HeadName": "name",
    "Name": "name",
    "Names": "name or list of names",
    "PartName": "name",
    "Phases": "whole number",
    "Shape": "number from 0.01 to 1,000,000",
    "Spans": "list of opening hours or moments",
    "Until": "`until` and a step",
}
"""What people call the field types whose name does not say it."""

SPECIAL = {"source": "[source](#source-note)", "note": "text"}
"""Keys that may stand in many mappings, with what may stand there."""

PLAIN = {"boolean": "`true` or `false`", "integer": "whole number", "number": "number", "string": "text"}


def format_page() -> str:
    """Return the page; every mapping that the template does not place stands at its end."""
    schema = json_schema()
    template = TEMPLATE.read_text(encoding="utf-8")
    placed = MARKER.findall(template)
    mappings = {name: each for name, each in schema["$defs"].items() if "properties" in each}
    page = _Page(mappings)
    text = MARKER.sub(lambda match: page.table(match[1]), template)
    text = text.replace("<!-- units -->", _units()).replace("<!-- limits -->", _limits())
    rest = [name for name in mappings if name not in placed]
    if rest:
        text += "\n## More mappings\n" + "".join(f"\n### {heading(name)}\n\n{page.table(name)}\n" for name in rest)
    return text


def heading(name: str) -> str:
    """Return what the page calls a model: its name in words."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.rstrip("_")).capitalize()


class _Page:
    """Writes tables of keys with links between them."""

    def __init__(self, mappings: dict[str, Any]) -> None:
        self.mappings = mappings

    def table(self, name: str) -> str:
        """Return what a mapping is, and its keys."""
        definition = self.mappings[name]
        required = definition.get("required", [])
        lines = [definition.get("description", ""), "", "| key | value | default | meaning |", "|---|---|---|---|"]
        for key, found in definition["properties"].items():
            default = "required" if key in required else _yaml(found["default"]) if "default" in found else ""
            words = SPECIAL.get(key) or self.words(found)
            lines.append(f"| `{key}` | {words} | {default} | {_cell(found.get('description', ''))} |")
        others = definition.get("additionalProperties")
        if isinstance(others, dict):
            lines.append(f"| any name | {self.words(others)} | | |")
        return "\n".join(lines)

    def words(self, found: dict[str, Any]) -> str:
        """Return in words what may stand somewhere."""
        if "$ref" in found:
            name = found["$ref"].rpartition("/")[2]
            if name in self.mappings:
                title = heading(name)
                return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
            return str(WORDS.get(name, name.lower()))
        if "anyOf" in found:
            options = [self.words(each) for each in found["anyOf"] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(options))
        if "const" in found or "enum" in found:
            values = [found["const"]] if "const" in found else [value for value in found["enum"] if value != ""]
            return " or ".join(_yaml(value) for value in values)
        if found.get("type") == "array":
            least, most = found.get("minItems"), found.get("maxItems")
            count = f" of {least}" if least is not None and least == most else ""
            return f"list{count}: {self.words(found['items'])}"
        if found.get("type") == "object":
            inner = found.get("additionalProperties")
            keys = found.get("propertyNames", {}).get("enum")
            of = self.words(inner) if isinstance(inner, dict) else "anything"
            return f"{' and '.join(_yaml(key) for key in keys)}: {of}" if keys else f"by name: {of}"
        return str(PLAIN.get(found.get("type", ""), "anything"))


def _units() -> str:
    """Return rows of the kinds of quantities."""
    rows = [
        f"| {kind} | {', '.join(f'`{unit}`' for unit in known)} | `{units.EXAMPLES[kind]}` |"
        for kind, known in units.UNITS.items()
    ]
    return "\n".join(rows)


def _limits() -> str:
    """Return the table of what a file may ask for at most."""
    return "\n".join(["| of what | most |", "|---|---|", *(f"| {what} | {most} |" for what, most in limits.TABLE)])


def _yaml(value: Any) -> str:  # noqa: ANN401
    """Return a value as it is written in a file."""
    if isinstance(value, list) and len(value) > 1 and len(set(map(str, value))) == 1:
        return f"all {_yaml(value[0])}"
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
