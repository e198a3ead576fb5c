"""
Random streams: every draw is a pure function of names and numbers.

The generator is Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011),
checked against its published test vectors. The key is made from seed and replication; the counter holds the
stream's identity, the consignment's ordinal in its own source, the child and the loop count.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from zonesim.compiled.jit import inlined, kernel

Words = NDArray[np.uint64]

_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
_MULTIPLY_0: Final = np.uint64(0xD2511F53)
_MULTIPLY_1: Final = np.uint64(0xCD9E8D57)
_WEYL_0: Final = np.uint64(0x9E3779B9)
_WEYL_1: Final = np.uint64(0xBB67AE85)
_RUN_KEY_0: Final = np.uint64(0x7A6F6E65)
_RUN_KEY_1: Final = np.uint64(0x73696D31)
_CHILD_SHIFT: Final = np.uint64(24)
_LOOP_MASK: Final = np.uint64(0xFFFFFF)
_SHIFT_20: Final = np.uint64(20)
_SHIFT_12: Final = np.uint64(12)
_UNIT: Final = 2.0**-52


@inlined
def philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four 32-bit words that Philox 4x32-10 makes of a counter and a key; all words in uint64."""
    for _ in range(10):
        first = _MULTIPLY_0 * c0
        second = _MULTIPLY_1 * c2
        c0 = (second >> _HALF) ^ c1 ^ k0
        c1 = second & _LOW
        c2 = (first >> _HALF) ^ c3 ^ k1
        c3 = first & _LOW
        k0 = (k0 + _WEYL_0) & _LOW
        k1 = (k1 + _WEYL_1) & _LOW
    return c0, c1, c2, c3


@kernel
def _mixed_key(seed: np.uint64, replication: np.uint64) -> np.uint64:
    r0, r1, _, _ = philox(seed & _LOW, seed >> _HALF, replication & _LOW, replication >> _HALF, _RUN_KEY_0, _RUN_KEY_1)
    return r0 | (r1 << _HALF)


def run_key(seed: int, replication: int) -> np.uint64:
    """
    Return the key of a run; neighbouring seeds and replications give unrelated keys. Both are below 2 ** 63 and not
    negative.
    """
    return np.uint64(_mixed_key(np.uint64(seed), np.uint64(replication)))


@kernel
def lineage(stream: np.uint64, ordinal: int, child: int, loop_count: int) -> int:
    """
    Return the ordinal of draws (a 32-bit number) of a token that another one starts at the place `stream`.

    It follows from the parent's own ordinal, child number and loop count alone, so that it is the same in every arm.
    """
    place = (np.uint64(child) << _CHILD_SHIFT) | (np.uint64(loop_count) & _LOOP_MASK)
    heir, _, _, _ = philox(stream & _LOW, stream >> _HALF, np.uint64(ordinal), place, _RUN_KEY_0, _RUN_KEY_1)
    return np.int64(heir)  # type: ignore[return-value]


@inlined
def bits(key: np.uint64, stream: np.uint64, ordinal: int, child: int, loop_count: int) -> int:
    """
    Return 52 random bits.

    `ordinal` is below 2 ** 32, `child` below 256, `loop_count` counts up to 2 ** 24.
    """
    place = (np.uint64(child) << _CHILD_SHIFT) | (np.uint64(loop_count) & _LOOP_MASK)
    r0, r1, _, _ = philox(stream & _LOW, stream >> _HALF, np.uint64(ordinal), place, key & _LOW, key >> _HALF)
    return np.int64((r0 << _SHIFT_20) | (r1 >> _SHIFT_12))  # type: ignore[return-value]


@inlined
def random_bits(
    out: Words, key: np.uint64, streams: Words, first: int, count: int, ordinal: int, child: int, loop_count: int
) -> None:
    """Fill `out` with what `bits` returns for `count` streams, from number `first` on."""
    k0, k1 = key & _LOW, key >> _HALF
    c2 = np.uint64(ordinal)
    c3 = (np.uint64(child) << _CHILD_SHIFT) | (np.uint64(loop_count) & _LOOP_MASK)
    for each in range(count):
        stream = streams[np.uint64(first + each)]
        r0, r1, _, _ = philox(stream & _LOW, stream >> _HALF, c2, c3, k0, k1)
        out[np.uint64(each)] = (r0 << _SHIFT_20) | (r1 >> _SHIFT_12)


@inlined
def unit(random: int) -> float:
    """Return a number strictly between 0 and 1, a multiple of 2 ** -53, made of 52 random bits."""
    return (np.float64(random) + 0.5) * _UNIT


@inlined
def uniform(key: np.uint64, stream: np.uint64, ordinal: int, child: int, loop_count: int) -> float:
    """Return a uniform number strictly between 0 and 1, a multiple of 2 ** -53; arguments as for `bits`."""
    return unit(bits(key, stream, ordinal, child, loop_count))
