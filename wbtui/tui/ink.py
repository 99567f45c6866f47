"""How does a picture, or a line of text, become the strips that Textual paints?"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from rich.cells import cell_len, set_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from wbtui.plotting import BOLD, DIM, Canvas
from wbtui.plotting.glyphs import GLYPHS, GlyphSet
from wbtui.plotting.palette import DEFAULT
from wbtui.tui.contrast import FAINT, GRAPHICS, TEXT, readable

Part = tuple[str, str]
"""Text, shown literally, and a rich style; empty: the widget's own."""


_HALVES = ("▀", "▄", " ")
"""What a heatmap with two colours a cell is made of."""

_SCALE, _UPRIGHT = " " + GLYPHS[GlyphSet.BRAILLE].shades, Style(reverse=False)
"""What the scale in a heatmap's title is made of: in a reversed title it stays as it is in the picture."""


@lru_cache(maxsize=4096)
def _style(foreground: int, background: int, attributes: int) -> Style:
    return Style(
        color=None if foreground == DEFAULT else _colour(foreground),
        bgcolor=None if background == DEFAULT else _colour(background),
        bold=True if attributes & BOLD else None,
        dim=True if attributes & DIM else None,
    )


def _colour(value: int) -> Color:
    return Color.from_rgb(value >> 16, value >> 8 & 0xFF, value & 0xFF)


@lru_cache(maxsize=256)
def parsed(style: str) -> Style:
    """A rich style from its text."""
    return Style.parse(style)


def canvas_strips(
    canvas: Canvas, base: Style, first: Style | None = None, rows: Sequence[int] | None = None
) -> list[Strip]:
    """The rows of a picture over a widget's own style; the first row over a style of its own, if there is one.

    Colours are moved away from their ground until they can be seen, those of a heatmap excepted: they are data.

    Args:
        canvas: The picture.
        base: The widget's own style.
        first: The style of its first row.
        rows: Numbers of the rows that are wanted, at least one; None: all.
    """
    painted = canvas.glyphs[canvas.background != DEFAULT]
    data = "▀▄█ " if painted.size and np.isin(painted, _HALVES).any() else ""
    strips = []
    wanted = list(range(canvas.height) if rows is None else rows)
    part = canvas if rows is None else canvas.part(wanted)
    for number, row in zip(wanted, part.rows(), strict=True):
        under = first if first is not None and number == 0 else base
        cells = []
        for text, fg, bg, attributes in row:
            scale = under.reverse and text.strip() and not text.strip(_SCALE)
            on = under + _UPRIGHT if scale else under
            if data and fg != DEFAULT and not text.strip(data):
                cells.append(Segment(text, on + _style(fg, bg, attributes)))
            else:
                cells.append(Segment(text, _seen(on, fg, bg, attributes, least(text, attributes & DIM))))
        strips.append(Strip(cells, canvas.width))
    return strips


@lru_cache(maxsize=4096)
def least(text: str, faint: int | bool = False) -> float:
    """The least contrast that a text, or a piece of a picture, needs."""
    if any(map(str.isalnum, text)):
        return TEXT
    return FAINT if faint else GRAPHICS


@lru_cache(maxsize=4096)
def _seen(under: Style, foreground: int, background: int, attributes: int, contrast: float) -> Style:
    if background != DEFAULT:  # a bar that something is drawn over, in the colour of its other cells
        bar = readable(under + _style(background, DEFAULT, 0), GRAPHICS)
        under += Style(bgcolor=bar.color)
    return readable(under + _style(foreground, DEFAULT, attributes), contrast)


def fitted(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """Text in exactly so many cells, wide characters counted as two, cut with an ellipsis."""
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(text, width - 1) + ellipsis if width > 0 else ""
    return " " * (width - cells) + text if right else text + " " * (width - cells)


def abridged(text: str, most: int = 300) -> str:
    """Text whose lines have at most so many characters; of a longer one the middle is left out."""
    half = (most - 3) // 2
    return "\n".join(
        line if len(line) <= most else f"{line[:half]} … {line[-half:]}" for line in text.split("\n")
    )


def ascii_text(text: str) -> str:
    """Text for a terminal without Unicode: what the screen itself writes is translated, all else becomes `?`."""
    return text.translate(_ASCII).encode("ascii", "replace").decode("ascii")


_ASCII = str.maketrans(
    {
        "…": "~",
        "·": "|",
        "│": "|",
        "─": "-",
        "━": "=",
        "◉": "@",
        "●": "o",
        "◆": "#",
        "★": "*",
        "γ": "g",
        "τ": "t",
        "κ": "k",
        "μ": "u",
        "ρ": "r",
        "θ": "o",
        "Σ": "S",
        "₂": "2",
        "≈": "~",
        "≤": "<",
        "‖": "|",
        "\u0304": "",  # the bar over a letter
        "±": "+-",  # the only two cells for one: who fills cells with it counts them behind this
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "°": " ",
        "×": "x",
        "▸": ">",
        "✓": "x",
        "⚠": "!",
        "Δ": "d",
    }
)


def ascii_parts(parts: Iterable[Part]) -> tuple[Part, ...]:
    """`ascii_text` of parts that keep their cells, those with `±` excepted."""
    return tuple((ascii_text(_doubled(text)), style) for text, style in parts)


def line_strip(parts: Iterable[Part], width: int, base: Style, *, ascii_only: bool = False) -> Strip:
    """Parts of text one after the other, cut or filled to a width."""
    segments = []
    left = width
    for text, style in ascii_parts(parts) if ascii_only else parts:
        if left <= 0:
            break
        if cell_len(text) > left:
            text = fitted(text, left, ellipsis="~" if ascii_only else "…")
        left -= cell_len(text)
        over = base + parsed(style) if style else base
        segments.append(Segment(text, readable(over, least(text, bool(over.dim)))))
    if left > 0:
        segments.append(Segment(" " * left, base))
    return Strip(segments, width)


def _doubled(text: str) -> str:
    """Wide characters twice, so that what stands in their place takes their room."""
    return text if text.isascii() else "".join(sign * max(cell_len(sign), 1) for sign in text)


def parts_width(parts: Sequence[Part]) -> int:
    """Cells that parts take."""
    return sum(cell_len(text) for text, _ in parts)
