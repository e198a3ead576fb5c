"""
YAML as nodes, fast where that is the same.

PyYAML in Python is the judge of what a text means and what is wrong with it. Where libyaml is there, it reads the text
first, ten times as fast; what it finds counts only where both are known to agree: in a text without fault and without
the few signs of which they think differently. So messages and marks never depend on what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import yaml
from yaml.composer import Composer
from yaml.resolver import Resolver

from zonesim.limits import MOST_VALUES

_DOUBTFUL: Final = re.compile(r"[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]|!|[|>]#")
"""
Tabs, other signs for a new line, marks of byte order and what lies beyond 16 bits; tags; a comment that touches the
sign of a block of text.
"""


class TooManyValues(yaml.MarkedYAMLError):
    """More values than a file may have."""


class _Doubt(yaml.YAMLError):
    """Something that libyaml may read otherwise."""


class _Loader(yaml.SafeLoader):
    """Composes nodes; what plain scalars mean is left to the reader, not to the rules of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    values = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401  as it is there
        """Compose a value (or a key, which has no index); raises TooManyValues as soon as there are too many."""
        self.values += index is not None
        if self.values > MOST_VALUES:
            raise TooManyValues(problem_mark=self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node: yaml.Node | None = super().compose_node(parent, index)
        return node


def compose(text: str) -> list[yaml.Node]:
    """Return the documents in a text; raises YAMLError (TooManyValues), RecursionError or ValueError."""
    if _FastLoader is not None and not _DOUBTFUL.search(text):
        try:
            return list(yaml.compose_all(text, Loader=_FastLoader))
        except (yaml.YAMLError, RecursionError, ValueError):
            pass  # said by the other
    return list(yaml.compose_all(text, Loader=_Loader))


def _fast_loader() -> Any:  # noqa: ANN401  a class, or None
    """Return a loader that takes its events from libyaml, None where it is not there."""
    events: Any = getattr(yaml.cyaml, "CParser", None) if yaml.__with_libyaml__ else None
    if events is None:
        return None

    class FastLoader(Composer, events, Resolver):  # type: ignore[misc]  # which has no types
        yaml_implicit_resolvers: dict[str, Any] = {}

        def __init__(self, stream: str) -> None:
            events.__init__(self, stream)
            Composer.__init__(self)
            Resolver.__init__(self)
            self.values = 0
            self.in_brackets = False

        def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
            self.values += index is not None
            if self.values > MOST_VALUES:
                raise _Doubt
            node: yaml.Node | None = super().compose_node(parent, index)
            return node

        def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:  # noqa: ANN401
            """Compose a text; nothing at all has another place here, and ? is refused there inside of brackets."""
            event: Any = self.peek_event()
            if not event.style and (not event.value or (self.in_brackets and "?" in event.value)):
                raise _Doubt
            node: yaml.ScalarNode = super().compose_scalar_node(anchor)
            return node

        def compose_sequence_node(self, anchor: Any) -> Any:  # noqa: ANN401
            with self.part():
                return super().compose_sequence_node(anchor)

        def compose_mapping_node(self, anchor: Any) -> Any:  # noqa: ANN401
            with self.part():
                return super().compose_mapping_node(anchor)

        @contextmanager
        def part(self) -> Iterator[None]:
            event: Any = self.peek_event()
            before, self.in_brackets = self.in_brackets, self.in_brackets or bool(event.flow_style)
            yield
            self.in_brackets = before

    return FastLoader


_FastLoader: Final = _fast_loader()
