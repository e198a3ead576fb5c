"""
Strict YAML: text in, plain data and the place of every value out.

YAML 1.2 scalars only (`true`, `false`, decimal numbers; `10:30`, `on` and `010` are text), no tags, no merge keys,
no key twice, and limits on size, depth and aliases, so that a file from a stranger can do nothing but be wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml

from zonesim.faults import LIBRARY, Faults, Place, ScenarioFault
from zonesim.limits import DEEPEST, LARGEST_FILE, MOST_VALUES
from zonesim.scenario.characters import corrected, slips, told, unseen, visible
from zonesim.scenario.composing import TooManyValues, compose
from zonesim.scenario.paths import ODD, is_odd
from zonesim.scenario.repair import blamed

NOT_YAML: Final = "not YAML"

Path_ = tuple[str, ...]
"""Where a value stands in a document: its keys from the outside in; positions in a list count from 0."""

_INTEGER: Final = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FEWER: Final = "Split the file, or use fewer aliases."
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None, "~": None, "": None}


class _Written(float):
    """A number that is told as it is written, should it be a name: `1e3`, `1.50`, `+7`."""

    text: str

    def __new__(cls, number: float, text: str) -> Self:
        """Return a number with the text that it was read from."""
        written = super().__new__(cls, number)
        written.text = text
        return written

    def __getnewargs__(self) -> tuple[float, str]:  # type: ignore[override]
        """Return what a copy is made from."""
        return float(self), self.text

    def __str__(self) -> str:
        return self.text


@dataclass
class Document:
    """A file as plain data: `tree`, and the place of each value and of each key by path."""

    file: str
    tree: dict[str, Any]
    places: dict[Path_, Place] = field(default_factory=dict)
    keys: dict[Path_, Place] = field(default_factory=dict)

    def place(self, path: Path_) -> Place:
        """Return the place of the value at `path`, or of the nearest value around it."""
        return nearest(self.places, path, self.file)


def nearest(places: Mapping[Path_, Place], path: Path_, default: str = "") -> Place:
    """Return the place of `path` or of the nearest value around it."""
    for end in range(len(path), -1, -1):
        if path[:end] in places:
            return places[path[:end]]
    return Place(default)


class _Reader:
    """Turns composed nodes into data, collecting faults and places."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path_, Place] = {}
        self.keys: dict[Path_, Place] = {}
        self.faults: list[ScenarioFault] = []
        self.nodes = 0
        self.open: set[int] = set()

    def at(self, node: yaml.Node) -> Place:
        mark = node.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def fault(self, node: yaml.Node, fault: str, remedy: str = "") -> None:
        self.faults.append(ScenarioFault(fault, self.at(node), remedy))

    def value(self, node: yaml.Node, path: Path_) -> Any:  # noqa: ANN401  YAML is untyped
        self.nodes += 1
        if self.nodes > MOST_VALUES:
            raise ScenarioFault(f"more than {MOST_VALUES} values", self.at(node), _FEWER)
        if len(path) > DEEPEST:
            raise ScenarioFault(f"nested deeper than {DEEPEST} levels", self.at(node), "Write it flatter.")
        if id(node) in self.open:
            raise ScenarioFault("an alias that contains itself", self.at(node), "Write the value out.")
        self.places[path] = self.at(node)
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.rpartition(":")[2] not in {"map", "seq"}:
            self.fault(node, f"tag '{node.tag}' is not allowed", "Write plain values.")
            return None
        self.open.add(id(node))
        try:
            return self.mapping(node, path) if isinstance(node, yaml.MappingNode) else self.sequence(node, path)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        if node.tag not in {"tag:yaml.org,2002:str", "?", "!"}:
            self.fault(node, f"tag '{node.tag}' is not allowed", "Write plain values; quote text.")
            return None
        text: str = node.value
        if found := unseen(text, name=False):
            self.fault(node, f"{told(found)} in '{visible(text)}' cannot be seen", "Take it out.")
            return text
        if node.style:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) and len(text) < 19 and text == str(int(text)):  # noqa: PLR2004  digits of an int64
            return int(text)
        if _DECIMAL.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                self.fault(node, f"the number '{text}' is too large", "Numbers end at 1.8e308.")
            return number if str(number) == text else _Written(number, text)
        return text

    def mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.fault(key_node, "a key must be plain text", "Write `key: value`.")
                continue
            key = str(key_node.value)
            if key == "<<":
                self.fault(key_node, "merge keys (<<) are not allowed", "Write the values out.")
                continue
            if key in out:
                first = self.keys[(*path, key)]
                self.fault(key_node, f"key '{key}' stands twice", f"The first is at line {first.line}; keep one.")
                continue
            self.keys[(*path, key)] = self.at(key_node)
            self.check_key(key_node, key, path)
            out[key] = self.value(value_node, (*path, key))
        return out

    def check_key(self, node: yaml.ScalarNode, key: str, path: Path_) -> None:
        """Note a fault for a key with characters that nobody sees, or that look like signs of the format."""
        if not node.style and key in _WORDS:
            meant = {True: "true", False: "false", None: "nothing"}[_WORDS[key]]
            self.fault(node, f"'{key}' cannot name anything: as a value it is {meant}", "Choose another name.")
        elif found := unseen(key, name=True):
            self.fault(node, f"{told(found)} in the name '{visible(key)}' cannot be seen", "Take it out.")
        elif path[-1:] != ("where",) and (found_at := slips(key)):  # columns of a log are called as they are called
            first, mark = found_at[0], node.start_mark
            column = mark.column + first + bool(node.style)
            place = Place(self.file, mark.line + 1, column + 1)
            fault = f"{told(key[first])} in the name '{key}'"
            self.faults.append(ScenarioFault(fault, place, f"Write {corrected(key)}."))

    def sequence(self, node: yaml.Node, path: Path_) -> list[Any]:
        return [self.value(item, (*path, str(position))) for position, item in enumerate(node.value)]


def read_text(text: str, file: str) -> Document:
    """
    Return the one YAML document in `text`; `file` is what messages call it.

    Raises Faults with every fault found, each with line and column.
    """
    try:
        nodes = compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        if isinstance(error, TooManyValues):
            raise Faults([ScenarioFault(f"more than {MOST_VALUES} values", place, _FEWER)]) from None
        if slips_of_keyboard := blamed(text, file):
            raise Faults(slips_of_keyboard) from None
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        raise Faults([ScenarioFault(f"not YAML: {what}", place, "Check indentation, quotes and brackets.")]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        found = error.character if isinstance(error.character, str) else chr(error.character)
        raise Faults(
            [ScenarioFault(f"a character that YAML forbids: {found!r}", Place(file, line, column), "Take it out.")]
        ) from None
    except (RecursionError, ValueError) as error:
        remedy = "Write it flatter." if isinstance(error, RecursionError) else "Check escapes and numbers."
        raise Faults([ScenarioFault(f"not YAML: {error}", Place(file), remedy)]) from None
    if len(nodes) != 1:
        fault = "the file is empty" if not nodes else f"{len(nodes)} documents in one file"
        raise Faults(
            [ScenarioFault(fault, Place(file, 1, 1), "Write one document a file, starting with `zonesim: 1`.")]
        )
    reader = _Reader(file)
    try:
        tree = reader.value(nodes[0], ())
    except ScenarioFault as fault:
        raise Faults([*reader.faults, fault]) from None
    if not isinstance(tree, dict):
        reader.fault(nodes[0], "the file is not a mapping", "Start with `zonesim: 1` and `kind: scenario`.")
    if reader.faults:
        raise Faults(reader.faults)
    return Document(file, tree, reader.places, reader.keys)


def read_option(text: str, shown: str, before: str = "", after: str = "") -> Document:
    """
    Return the document `before` + `text` + `after`, where `text` is the end of what was `shown` as an option.

    Its places are columns of what was shown, and so are those of the Faults that it raises.
    """

    def moved(place: Place) -> Place:
        column = min(max(place.column - len(before), 1), len(text) + 1) + len(shown) - len(text)
        return Place(shown, 0, column if place.line == 1 else 0)

    try:
        document = read_text(f"{before}{text}{after}", shown)
    except Faults as found:
        for fault in found.faults:
            fault.place = moved(fault.place or Place(shown))
        raise
    for table in (document.places, document.keys):
        table.update({path: moved(place) for path, place in table.items()})
    return document


def not_utf8(error: UnicodeDecodeError, file: str) -> ScenarioFault:
    """Return the fault of a file that is not UTF-8: where its first other character stands, and how it is written."""
    data: bytes = error.object
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ScenarioFault("is written in UTF-16", Place(file, 1, 1), "Save it as UTF-8.")
    try:
        before, found = data[: error.start].decode("gb18030"), data[error.start :].decode("gb18030", "strict")[:1]
    except UnicodeDecodeError:
        return ScenarioFault(f"is not UTF-8 text (byte {error.start})", Place(file), "Save it as UTF-8.")
    column = len(before) - before.rfind("\n")
    place = Place(file, before.count("\n") + 1, column)
    return ScenarioFault(f"'{found}' is written in GBK, not in UTF-8", place, "Save the file as UTF-8.")


def read_file(path: Path) -> Document:
    """Return the document in a file; raises Faults also when it cannot be read or is too large."""
    name = str(path)
    if name.startswith(LIBRARY):  # a folder of the reader's that is called like ours
        name = f"./{name}"
    if is_odd(path):
        raise Faults([ScenarioFault(ODD, Place(name), "Save it as a file first.")])
    try:
        if path.is_file() and path.stat().st_size > LARGEST_FILE:
            raise Faults(
                [ScenarioFault(f"larger than {LARGEST_FILE} bytes", Place(name), "Keep data in files of their own.")]
            )
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Faults([ScenarioFault(f"cannot be read: {error.strerror}", Place(name), "Check the path.")]) from None
    except UnicodeDecodeError as error:
        raise Faults([not_utf8(error, name)]) from None
    return read_text(text, name)
