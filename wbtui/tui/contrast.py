"""Is a colour readable on its ground, and which colour near it is? After WCAG 2.2, for every theme."""

from collections.abc import Callable
from functools import lru_cache
from math import sqrt

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor
from textual.filter import LineFilter

TEXT, GRAPHICS, FAINT = 4.5, 3.0, 2.0
"""Least contrast: of text and of graphics after WCAG 2.2 (1.4.3 and 1.4.11), and of what only stands behind: the raw
curve behind the smoothed one, axes."""

_DIM = 0.66
"""What is left of a colour that is dim, the rest is its ground; as Textual has it."""
_BETWEEN = sqrt(1.05 * 0.05) - 0.05
"""The luminance that differs from black as much as from white: 4.58 : 1."""
_STEPS = 12


def luminance(colour: ColorTriplet) -> float:
    """Relative luminance: 0 black, 1 white (WCAG 2.2)."""
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """How much two colours differ in luminance: 1 not at all, 21 as black and white (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def legible(colour: ColorTriplet, ground: ColorTriplet, least: float) -> ColorTriplet:
    """The colour, or the nearest lighter or darker one that has at least this contrast to its ground.

    Args:
        colour: What is to be seen.
        ground: Where.
        least: Contrast, 1 to 21; where even black or white has less, that of them which has more is given.
    """
    if contrast(colour, ground) >= least:
        return colour
    end = max(_BLACK, _WHITE, key=lambda extreme: contrast(extreme, ground))
    return _first(colour, end, lambda mixed: contrast(mixed, ground) >= least)


def between(colour: ColorTriplet) -> ColorTriplet:
    """The colour lightened or darkened until it is readable on black and on white, for a ground nobody knows."""
    if luminance(colour) < _BETWEEN:
        return _first(colour, _WHITE, lambda mixed: luminance(mixed) >= _BETWEEN)
    return _first(colour, _BLACK, lambda mixed: luminance(mixed) <= _BETWEEN)


_BLACK, _WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)


def _first(colour: ColorTriplet, end: ColorTriplet, enough: Callable[[ColorTriplet], bool]) -> ColorTriplet:
    """The first colour on the way to an end that is enough."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(_mixed(colour, end, middle)) else (middle, high)
    return _mixed(colour, end, high)


def _mixed(one: ColorTriplet, other: ColorTriplet, share: float) -> ColorTriplet:
    return ColorTriplet(*(round(a + (b - a) * share) for a, b in zip(one, other, strict=True)))


@lru_cache(maxsize=4096)
def readable(style: Style, least: float) -> Style:
    """The style with its colour as far from its ground as it must be.

    Where the terminal decides about the ground (themes `ansi-*`) colours of ours become readable on black and on
    white; on a ground that the terminal paints in a colour of its own they give way to the theme's foreground.
    """
    colour, ground = style.color, style.bgcolor
    if colour is None or colour.triplet is None:
        return style
    if ground is None or ground.is_default:
        return style + Style.from_color(Color.from_triplet(between(colour.triplet)))
    if ground.triplet is None:
        return style + _THEIRS
    wanted = colour.triplet
    if style.dim:
        wanted = _mixed(ground.triplet, wanted, _DIM)
    found = Color.from_triplet(legible(wanted, ground.triplet, least))
    return style + Style(color=found, dim=False if style.dim else None)


_THEIRS = Style(color=Color.default())


class Grey(LineFilter):
    """Takes the colour out of everything and leaves its luminance, so that what was readable stays so.

    Textual's own filter weighs colours by another rule, after which blue on a dark ground is too dark, and turns the
    colours of themes `ansi-*` black on black.
    """

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """The segments in greys."""
        return [
            Segment(text, style and grey_style(style), control if style is None else None)
            for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def grey_style(style: Style) -> Style:
    """The style in greys of the same luminance; over a ground that the terminal decides about in its own colour."""
    if style.bgcolor is not None and style.bgcolor.triplet is None:
        return style + Style.from_color(Color.default(), Color.default())
    return style + Style.from_color(_grey(style.color), _grey(style.bgcolor))


def _grey(colour: Color | None) -> Color | None:
    if colour is None or colour.triplet is None:
        return colour
    light = luminance(colour.triplet)
    value = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return Color.from_triplet(ColorTriplet(*[round(255 * value)] * 3))
