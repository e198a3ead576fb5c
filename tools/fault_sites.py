"""Every message that the package can end with, read from its source: where it is made, what it says, what helps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RAISED = {"ScenarioFault", "UnknownName", "UnitFault", "MeasureConflict", "RunFault", "problem"}
"""What makes a message of its own: the kinds of fault, and `problem`, which becomes one."""

FIELD = "…"
"""Stands for what a message fills in."""


@dataclass(frozen=True)
class Site:
    """A place in the source that makes a message: its line, text and remedy, with FIELD for what is filled in."""

    line: int
    text: str
    remedy: str

    @property
    def fixed(self) -> str:
        """Return the longest fixed part of the text, by which the message is known; "" when it is passed on."""
        return max((part.strip() for part in self.text.split(FIELD)), key=len)


def sites(path: Path) -> Iterator[Site]:
    """Yield the messages that a module makes, in the order of its syntax tree."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    values = _assigned(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in RAISED:
            text = _text(_looked_up(node.args[0], values, node.lineno))
            named = [each.value for each in node.keywords if each.arg == "remedy"]
            rest = node.args[1:2] if name == "problem" else node.args[2:3]
            remedy = next(iter([*named, *rest]), None)
            yield Site(node.lineno, text, _remedy(remedy, values, node.lineno))


def _assigned(tree: ast.Module) -> dict[str, list[tuple[int, ast.expr]]]:
    """Return what is assigned to each name, with the line."""
    found: dict[str, list[tuple[int, ast.expr]]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for name, value in pairs:
            if isinstance(name, ast.Name):
                found.setdefault(name.id, []).append((node.lineno, value))
    return found


def _looked_up(node: ast.expr, values: dict[str, list[tuple[int, ast.expr]]], line: int) -> ast.expr:
    """Return what a name stands for at a line; anything else as it is."""
    if not isinstance(node, ast.Name):
        return node
    own = sorted(values.get(node.id, []), key=lambda pair: pair[0])
    before = [value for at, value in own if at <= line] or [value for _, value in own]
    return before[-1] if before else node


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return FIELD


def _remedy(node: ast.expr | None, values: dict[str, list[tuple[int, ast.expr]]], line: int) -> str:
    if node is None:
        return ""
    node = _looked_up(node, values, line)
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suggest":
        return "Names what is near, or what there is."
    text = _text(node)
    return "" if text == FIELD else text
