"""
The kernel as a WebAssembly module (`make wasm`), and how what it is handed looks in its memory.

Arguments are 8 bytes each, in the order in which numba passes them: a record is where it lies, an array seven words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from zonesim.compiled.jit import sources_digest
from zonesim.faults import Place, ScenarioFault

MODULE: Final = Path(__file__).with_name("kernel.wasm")
"""Not in the source tree: `make wasm` builds it, a wheel carries it."""

SECTION: Final = b"zonesim"
"""Name of the module's own section: of which sources it was made (`sources_digest`)."""

_HOW: Final = "In the source tree: make wasm. A wheel of zonesim carries it."


def stamped(module: bytes) -> bytes:
    """Return a module with a section that says of which sources it was made."""
    body = bytes([len(SECTION)]) + SECTION + sources_digest().encode()
    return module + bytes([0, len(body)]) + body


def module_bytes() -> bytes:
    """Return the module; raises ScenarioFault where it is missing, or made of other sources than these."""
    place = Place(str(MODULE.name))
    try:
        found = MODULE.read_bytes()
    except OSError:
        raise ScenarioFault("the kernel has not been built for browsers", place, _HOW) from None
    if not found.endswith(SECTION + sources_digest().encode()):
        raise ScenarioFault("the kernel was built for browsers of other sources than these", place, _HOW)
    return found


def page_words(given: Iterable[Any], places: Iterator[int]) -> list[bytes]:
    """
    Return the words of arguments: numbers, records, arrays and bundles of arrays, where `places` says where the bytes
    of each record or array lie, in order.
    """
    words: list[bytes] = []
    for each in given:
        if isinstance(each, tuple):
            words += page_words(each, places)
        elif isinstance(each, np.void):
            words.append(_word(next(places)))
        elif isinstance(each, np.ndarray):
            words += map(_word, array_words(each, next(places)))
        else:
            words.append(np.asarray(each).tobytes())
    return words


def array_words(array: np.ndarray[Any, Any], place: int) -> list[int]:
    """Return the words of an array whose bytes lie at `place`."""
    return [0, 0, array.size, array.itemsize, place, *array.shape, *array.strides]


def _word(value: int) -> bytes:
    return int(value).to_bytes(8, "little")
