"""Which colours, markers and dash patterns tell one series from another?"""

from enum import Enum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DEFAULT = -1
"""The colour that leaves the choice to the terminal or the theme."""

OKABE_ITO: tuple[int, ...] = (0x56B4E9, 0xE69F00, 0x009E73, 0xD55E00, 0xCC79A7, 0xF0E442, 0x0072B2, DEFAULT)
"""Okabe and Ito's colours as 0xRRGGBB, easy to tell apart with any colour vision (Okabe and Ito, 2008).

Their eighth colour is black, the foreground of paper: here the foreground of the terminal.
"""

DASHES: tuple[tuple[bool, ...], ...] = tuple(
    tuple(mark == "=" for mark in pattern) for pattern in ("=", "-", "==--", "=-", "===-", "=---")
)
"""Patterns along the cells of a curve: True keeps every dot of a cell, False its left dot column.

A dash thins a curve and never interrupts it, because a gap means that a value is missing.
"""

MARKERS = 8
"""Markers in each glyph set."""


class SeriesStyle(NamedTuple):
    """What makes a series recognisable."""

    colour: int
    """0xRRGGBB or `DEFAULT`."""
    dash: int
    """Index into `DASHES`."""
    marker: int
    """Index into the markers of the glyph set."""


def series_style(index: int) -> SeriesStyle:
    """Give the style of the series with this index; the first 64 differ from each other.

    The first eight differ in colour and in marker, the first six in their dash pattern as well.
    """
    colours = len(OKABE_ITO)
    shift = index // colours
    return SeriesStyle(OKABE_ITO[index % colours], index % len(DASHES), (index + shift) % MARKERS)


class Colormap(Enum):
    """Colours of a heatmap, 0xRRGGBB from the low end of its range to the high end, evenly spaced."""

    SEQUENTIAL = (0x440154, 0x472C7A, 0x3B518B, 0x2C718E, 0x21908D, 0x27AD81, 0x5CC863, 0xAADC32, 0xFDE725)
    """Viridis: brightness grows with the value, for any colour vision."""
    DIVERGING = (0x0072B2, 0x6BAED6, 0xDDDDDD, 0xE8985E, 0xD55E00)
    """Blue below the middle, grey at it, vermillion above."""

    def table(self, steps: int = 256) -> NDArray[np.int32]:
        """Return `steps` colours from the low end to the high end, (steps,)."""
        anchors = np.array(self.value)
        at = np.linspace(0, len(anchors) - 1, steps)
        colours = np.zeros(steps, dtype=np.int32)
        for shift in (16, 8, 0):
            channel = np.interp(at, np.arange(len(anchors)), anchors >> shift & 0xFF)
            colours |= np.rint(channel).astype(np.int32) << shift
        return colours
