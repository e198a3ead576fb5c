"""The compiled kernel as a WebAssembly module, run by wasmtime in place of numba's code: everything else is the same."""

from __future__ import annotations

import atexit
import struct
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pytest

from zonesim.engine import compiled_engine
from zonesim.engine.wasm import MODULE, module_bytes, page_words
from zonesim.faults import ScenarioFault
from zonesim.plan import Plan, Sink, Totals

PAGE = 1 << 16


class Module:
    """An instance of the module with its memory."""

    def __init__(self) -> None:
        wasmtime = pytest.importorskip("wasmtime", reason="needs wasmtime")
        needs_module()
        self.store = wasmtime.Store()
        atexit.register(module.cache_clear)  # before the interpreter takes wasmtime apart
        built = wasmtime.Module.from_file(self.store.engine, str(MODULE))
        assert [(each.module, each.name) for each in built.imports] == [("env", "memory")]
        least = built.imports[0].type.limits.min
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(wasmtime.Limits(least, None)))
        instance = wasmtime.Instance(self.store, built, [self.memory])
        self.exports = instance.exports(self.store)
        self.heap = self.exports["__heap_base"].value(self.store)

    def call(self, name: str, *given: Any) -> bytes:
        """Call a function with numbers and arrays, which it may change; return the 8 bytes of its result."""
        arrays = [each for each in chain.from_iterable(map(flat, given)) if isinstance(each, np.ndarray)]
        places, end = [], self.heap + 8
        for array in arrays:
            places.append(end := -(-end // 64) * 64)
            end += array.nbytes
        words = page_words(given, iter(places))
        at = -(-end // 64) * 64
        end = at + 8 * len(words)
        if (short := end - self.memory.data_len(self.store)) > 0:
            self.memory.grow(self.store, -(-short // PAGE))
        for array, place in zip(arrays, places, strict=True):
            self.memory.write(self.store, array.tobytes(), place)
        self.memory.write(self.store, b"".join(words), at)
        self.exports[name](self.store, at, self.heap)
        for array, place in zip(arrays, places, strict=True):
            if array.nbytes:
                found = self.memory.read(self.store, place, place + array.nbytes)
                array.view(np.uint8).reshape(-1)[:] = np.frombuffer(found, np.uint8)
        return bytes(self.memory.read(self.store, self.heap, self.heap + 8))


def flat(given: Any) -> list[Any]:
    """Return what is handed over, bundles taken apart."""
    if isinstance(given, tuple):
        return list(chain.from_iterable(map(flat, given)))
    return [np.asarray(given).reshape(1)] if isinstance(given, np.void) else [given]


def needs_module() -> None:
    """Skip a test where the module is missing, or made of other sources."""
    try:
        module_bytes()
    except ScenarioFault as fault:
        pytest.skip(str(fault))


@cache
def module() -> Module:
    """Return the module."""
    return Module()


def simulate(plan: Plan, seed: int, replication: int, sink: Sink) -> Totals:
    """Run one replication as the compiled engine does, by the WebAssembly module."""
    return _Run(plan, seed, replication, sink).run()


class _Run(compiled_engine._Run):
    def advance(self, events: int) -> int:
        self.state["budget"] = events
        return struct.unpack("<q", module().call("run", *self.arguments()))[0]
