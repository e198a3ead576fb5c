"""
PNG files of slides.

Programs that write PNG try several filters a row, which pays for photographs. A slide is mostly of one colour: without
filters its file is as small, in a third of the time.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEVEL: Final = 3
"""Of compression: at the next one files are a fifth smaller, and take twice as long."""

_COLOUR: Final = 2
"""Red, green and blue, 8 bits each, no transparency."""

_INCH: Final = 0.0254
"""In metres."""


def encoded(pixels: NDArray[np.uint8], dpi: int) -> bytes:
    """
    Return a picture as PNG. `pixels`: (height, width, 4), red, green, blue and opacity, which is left out.

    Source: Portable Network Graphics (PNG) Specification, W3C, 2003, chapters 5 and 9 to 11.
    """
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each begins with the number of its filter: none
    colours = rows[:, 1:].reshape(height, width, 3)
    for colour in range(3):
        colours[:, :, colour] = pixels[:, :, colour]
    metre = round(dpi / _INCH)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _COLOUR, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", metre, metre, 1)),
        (b"tEXt", b"Software\0zonesim"),
        (b"IDAT", zlib.compress(rows.data, _LEVEL)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
