"""Which characters stand for lit dots, bars, shades and axes?"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class GlyphSet(StrEnum):
    """The characters a terminal can be trusted with."""

    BRAILLE = "braille"
    """2 x 4 dots a cell."""
    BLOCK = "block"
    """2 x 2 dots a cell, for fonts without braille."""
    ASCII = "ascii"
    """1 x 2 dots a cell, for terminals without Unicode."""


@dataclass(frozen=True, eq=False)
class Glyphs:
    """One set of characters; every one of them takes one cell."""

    dot_bits: tuple[tuple[int, ...], ...]
    """Bit of each dot of a cell, row by row from the top."""
    table: NDArray[np.str_]
    """Character of each combination of bits; 0 is a space."""
    markers: str
    levels: str
    """Bars that grow upward, from empty to a full cell."""
    hanging: str
    """Bars that grow downward, from empty to a full cell."""
    steps: str
    """Heights of a sparkline; the lowest is visible."""
    shades: str
    """Densities of a heatmap without colour; the lowest is visible."""
    vertical: str
    horizontal: str
    corner: str
    tick_left: str
    tick_down: str
    cursor: str
    pointer: str
    ellipsis: str
    at_most: str
    band: str
    """What fills a band where nothing else is drawn."""
    edge: str = ""
    """What draws the edges of a band; empty: their dots."""
    ascii_only: bool = False

    @property
    def has_braille(self) -> bool:
        """Whether a cell has enough dots for a line thinner than a bar."""
        return self.dot_rows == 4

    @property
    def dot_rows(self) -> int:
        """Dots of a cell from top to bottom."""
        return len(self.dot_bits)

    @property
    def dot_columns(self) -> int:
        """Dots of a cell from left to right."""
        return len(self.dot_bits[0])

    @property
    def left_bits(self) -> int:
        """Bits of the left dot column of a cell; all bits where there is one column."""
        return sum(row[0] for row in self.dot_bits)

    @property
    def all_bits(self) -> int:
        """Bits of all dots of a cell."""
        return sum(sum(row) for row in self.dot_bits)


_BRAILLE = Glyphs(
    dot_bits=((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)),
    table=np.array([" ", *(chr(0x2800 + bits) for bits in range(1, 256))]),
    markers="●■▲◆○□△◇",
    levels=" ▁▂▃▄▅▆▇█",
    hanging=" ▀█",
    steps="▁▂▃▄▅▆▇█",
    shades="·░▒▓█",
    vertical="│",
    horizontal="─",
    corner="└",
    tick_left="┤",
    tick_down="┬",
    cursor="┊",
    pointer="▲",
    ellipsis="…",
    at_most="≤",
    band="·",
)

GLYPHS: dict[GlyphSet, Glyphs] = {
    GlyphSet.BRAILLE: _BRAILLE,
    GlyphSet.BLOCK: replace(_BRAILLE, dot_bits=((1, 2), (4, 8)), table=np.array(list(" ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"))),
    GlyphSet.ASCII: Glyphs(
        dot_bits=((1,), (2,)),
        table=np.array(list(" '.:")),
        markers="*o+x#@%&",
        levels=" .:#",
        hanging=" '#",
        steps="_.-~=+*#",
        shades=".:-=+*#%@",
        vertical="|",
        horizontal="-",
        corner="+",
        tick_left="+",
        tick_down="+",
        cursor="|",
        pointer="^",
        ellipsis="~",
        at_most="<=",
        band=" ",
        edge="-",
        ascii_only=True,
    ),
}
