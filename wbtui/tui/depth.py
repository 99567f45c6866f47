"""How do colours come through on a terminal that has 256 of them, or 16?

Rich takes the nearest of each colour by itself, of some grounds one that is far off (#303446 becomes #5f5f5f), and
what was readable is not any more. Here the ground is rounded first, and on it a colour is chosen that can be seen.
"""

from functools import lru_cache

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME
from textual.color import Color as TextualColor
from textual.filter import LineFilter

from wbtui.tui.contrast import TEXT, contrast

_CUBE = (0, 95, 135, 175, 215, 255)
_STANDARD = {number: DEFAULT_TERMINAL_THEME.ansi_colors[number] for number in range(16)}
_INDEXED = {
    **{
        16 + 36 * r + 6 * g + b: ColorTriplet(_CUBE[r], _CUBE[g], _CUBE[b])
        for r in range(6)
        for g in range(6)
        for b in range(6)
    },
    **{232 + step: ColorTriplet(*[8 + 10 * step] * 3) for step in range(24)},
}
"""xterm's cube and greys; the first 16 are whatever the user's terminal makes of them."""
_GROUNDS = {number: colour for number, colour in _STANDARD.items() if number < 8}
"""The Linux console has no bright grounds."""


class Rounded(LineFilter):
    """Rounds colours to those of the terminal, so that what differed enough from its ground still does.

    Args:
        colours: 256 or 16.
    """

    def __init__(self, colours: int) -> None:
        super().__init__()
        self._colours = colours

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """The segments in the terminal's colours."""
        colours = self._colours
        return [
            Segment(text, style and rounded(style, colours), control if style is None else None)
            for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def rounded(style: Style, colours: int) -> Style:
    """The style in colours of the terminal; those that the terminal decides about stay."""
    palette, grounds = (_STANDARD, _GROUNDS) if colours == 16 else (_INDEXED, _INDEXED)
    ground, colour = style.bgcolor, style.color
    behind: ColorTriplet | None = None
    least = 1.0
    if ground is not None and ground.triplet is not None:
        number = _nearest(ground.triplet, grounds, None, 1.0)
        behind = grounds[number]
        if colour is not None and colour.triplet is not None:
            least = min(contrast(colour.triplet, ground.triplet), TEXT)
        ground = Color.from_ansi(number)
    if colour is not None and colour.triplet is not None:
        colour = Color.from_ansi(_nearest(colour.triplet, palette, behind, least))
    return style + Style.from_color(colour, ground)


def _nearest(
    wanted: ColorTriplet, palette: dict[int, ColorTriplet], ground: ColorTriplet | None, least: float
) -> int:
    """The colour nearest to the one that is wanted among those that differ enough from the ground, if any does."""
    seen = palette
    if ground is not None:
        seen = {number: colour for number, colour in palette.items() if contrast(colour, ground) >= least}
        if not seen:
            return max(palette, key=lambda number: contrast(palette[number], ground))
    return min(seen, key=lambda number: _distance(seen[number], wanted))


def _distance(one: ColorTriplet, other: ColorTriplet) -> int:
    """How far apart two colours are; the hue counts more, else a pale blue of ours would become a grey of the 16."""
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return red**2 + green**2 + blue**2 + 2 * ((red - green) ** 2 + (green - blue) ** 2)
