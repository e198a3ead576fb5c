"""JSON documents: what the command line prints with --json and writes to results."""

from __future__ import annotations

import json
import math
from typing import Any


def to_json(document: Any) -> str:  # noqa: ANN401  any nesting of dicts, lists and plain values
    """Return a document as indented JSON; what has no value (nan, infinite) is null."""
    return json.dumps(_clean(document), ensure_ascii=False, indent=2, allow_nan=False)


def _clean(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {str(key): _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
