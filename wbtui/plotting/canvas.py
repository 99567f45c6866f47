"""What is a finished picture, and how is one painted cell by cell?"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wbtui.errors import UsageError
from wbtui.plotting.palette import DEFAULT

BOLD = 1
"""Bit of `Canvas.attributes`."""
DIM = 2
"""Bit of `Canvas.attributes`."""
WIDE_TAIL = "\ue000"
"""Fills the second cell of a character that takes two."""
_WIDE_FROM = 0x2E80
"""The first code of the scripts whose characters take two cells; nothing that plots draw with lies above it."""
LARGEST_SIDE = 4_000
"""Most columns or rows of a picture; a mistyped size must not take the machine's memory."""


class Run(NamedTuple):
    """Neighbouring cells of one row that share a style."""

    text: str
    foreground: int
    """0xRRGGBB or `DEFAULT`."""
    background: int
    """0xRRGGBB or `DEFAULT`."""
    attributes: int
    """`BOLD` and `DIM`, or-ed."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture of H x W terminal cells.

    Every glyph is printable and takes one cell, or takes two and is followed by `WIDE_TAIL`.
    """

    glyphs: NDArray[np.str_]
    """(H, W), one character each."""
    foreground: NDArray[np.int32]
    """(H, W), 0xRRGGBB or `DEFAULT`."""
    background: NDArray[np.int32]
    """(H, W), 0xRRGGBB or `DEFAULT`."""
    attributes: NDArray[np.uint8]
    """(H, W), `BOLD` and `DIM`, or-ed."""

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.glyphs.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.glyphs.shape[1])

    def part(self, rows: Sequence[int]) -> "Canvas":
        """Return some of its rows as a picture of their own."""
        at = list(rows)
        return Canvas(self.glyphs[at], self.foreground[at], self.background[at], self.attributes[at])

    def lines(self) -> list[str]:
        """Return each row as a string of `width` cells."""
        return [line.replace(WIDE_TAIL, "") for line in self._whole()._cells()]

    def _cells(self) -> list[str]:
        """Each row, a character for each cell."""
        return [row.tobytes().decode("utf-32") for row in np.ascontiguousarray(self.glyphs)]

    def _whole(self) -> "Canvas":
        """This picture without halves of wide characters: where the other one was painted over, a space stands."""
        codes = np.ascontiguousarray(self.glyphs).view(np.uint32)
        places = np.argwhere(codes >= _WIDE_FROM)
        if not len(places):
            return self
        heads = [(row, column) for row, column in places.tolist() if _is_wide(self.glyphs[row, column])]
        paired = [
            place
            for place in heads
            if self.glyphs[place[0], place[1] + 1 : place[1] + 2].tolist() == [WIDE_TAIL]
        ]
        glyphs = np.where(self.glyphs == WIDE_TAIL, " ", self.glyphs)
        for place in set(heads).difference(paired):
            glyphs[place] = " "
        whole = Canvas(glyphs, self.foreground.copy(), self.background.copy(), self.attributes.copy())
        for row, column in paired:
            glyphs[row, column + 1] = WIDE_TAIL
            for cells in (whole.foreground, whole.background, whole.attributes):
                cells[row, column + 1] = cells[row, column]
        return whole

    def rows(self) -> list[list[Run]]:
        """Return each row as runs of one style, what a Textual Strip or a line of escapes is made from."""
        whole = self._whole()
        style = (
            (whole.foreground.astype(np.int64) + 1)
            | (whole.background.astype(np.int64) + 1) << 25
            | whole.attributes.astype(np.int64) << 50
        )
        starts = np.ones(style.shape, dtype=bool)
        starts[:, 1:] = style[:, 1:] != style[:, :-1]
        at_row, at_column = np.nonzero(starts)
        ends = np.append(at_column[1:], self.width)
        ends[ends == 0] = self.width
        rows: list[list[Run]] = [[] for _ in range(self.height)]
        lines = whole._cells()
        for row, start, end, foreground, background, attributes in zip(
            at_row.tolist(),
            at_column.tolist(),
            ends.tolist(),
            whole.foreground[starts].tolist(),
            whole.background[starts].tolist(),
            whole.attributes[starts].tolist(),
            strict=True,
        ):
            text = lines[row][start:end].replace(WIDE_TAIL, "")
            rows[row].append(Run(text, foreground, background, attributes))
        return rows


class Painter:
    """The arrays of a picture while it is being made; `finish` hands them over."""

    def __init__(self, width: int, height: int) -> None:
        for name, side in (("width", width), ("height", height)):
            if not 1 <= side <= LARGEST_SIDE:
                raise UsageError(f"plot {name}: expected 1 to {LARGEST_SIDE:,} cells, got {side:,}")
        self.width = width
        self.height = height
        self.glyphs: NDArray[np.str_] = np.full((height, width), " ", dtype="<U1")
        self.foreground = np.full((height, width), DEFAULT, dtype=np.int32)
        self.background = np.full((height, width), DEFAULT, dtype=np.int32)
        self.attributes = np.zeros((height, width), dtype=np.uint8)

    def text(self, row: int, column: int, text: str, *, colour: int = DEFAULT, attributes: int = 0) -> None:
        """Write `text` from a cell on; what falls outside the picture is left out."""
        if not 0 <= row < self.height:
            return
        start, end = max(column, 0), min(column + len(text), self.width)
        if start >= end:
            return
        self.glyphs[row, start:end] = list(text[start - column : end - column])
        self.foreground[row, start:end] = colour
        self.attributes[row, start:end] = attributes

    def finish(self) -> Canvas:
        """Return the picture."""
        return Canvas(self.glyphs, self.foreground, self.background, self.attributes)


def single_cells(text: str, *, ascii_only: bool = False) -> str:
    """Return `text` with one character for each terminal cell, `WIDE_TAIL` for the second of a wide character.

    Names come from run folders of strangers: control characters and escapes become `?`; combining marks are dropped.
    With `ascii_only` everything outside ASCII becomes `?`.
    """
    if text.isascii() and text.isprintable():
        return text
    kept = (character for character in text if unicodedata.category(character) not in ("Mn", "Me"))
    return "".join(_in_cells(character, ascii_only) for character in kept)


def _in_cells(character: str, ascii_only: bool) -> str:
    if not character.isprintable() or (ascii_only and not character.isascii()):
        return "?"
    if unicodedata.east_asian_width(character) not in ("W", "F"):
        return character
    return character + WIDE_TAIL if _is_wide(character) else "?"  # a sign among those that plots draw with


def _is_wide(character: str) -> bool:
    return ord(character) >= _WIDE_FROM and unicodedata.east_asian_width(character) in ("W", "F")


def shortened(text: str, width: int, ellipsis: str) -> str:
    """Return `text`, of `single_cells`, cut to `width` cells, the last of them an ellipsis where something was cut."""
    if len(text) <= width:
        return text
    return text[: width - 1] + ellipsis if width > 0 else ""
