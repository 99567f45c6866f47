"""How does a picture look as a string, for a terminal without Textual or for a file?"""

from enum import StrEnum

from wbtui.plotting.canvas import BOLD, DIM, Canvas, Run
from wbtui.plotting.palette import DEFAULT


class ColourDepth(StrEnum):
    """How many colours the terminal shows; the caller knows about NO_COLOR."""

    NONE = "none"
    INDEXED = "256"
    TRUE = "truecolor"


def to_text(canvas: Canvas) -> str:
    """Return the glyphs alone, a line a row, without trailing spaces and final line end."""
    return "\n".join(line.rstrip() for line in canvas.lines())


def to_ansi(canvas: Canvas, *, colour: ColourDepth = ColourDepth.TRUE) -> str:
    """Return the picture with ANSI escapes, a line a row, each reset at its end.

    Args:
        canvas: The picture.
        colour: `NONE` keeps bold and dim only, `INDEXED` rounds to the 256 colours of xterm.
    """
    return "\n".join("".join(_escaped(run, colour) for run in row) for row in canvas.rows())


def _escaped(run: Run, colour: ColourDepth) -> str:
    codes = [code for bit, code in ((BOLD, "1"), (DIM, "2")) if run.attributes & bit]
    if colour is not ColourDepth.NONE:
        codes += [
            f"{plane};{_colour_code(value, colour)}"
            for plane, value in ((38, run.foreground), (48, run.background))
            if value != DEFAULT
        ]
    return f"\x1b[{';'.join(codes)}m{run.text}\x1b[0m" if codes else run.text


def _colour_code(value: int, colour: ColourDepth) -> str:
    red, green, blue = value >> 16 & 0xFF, value >> 8 & 0xFF, value & 0xFF
    if colour is ColourDepth.TRUE:
        return f"2;{red};{green};{blue}"
    return f"5;{_nearest_indexed(red, green, blue)}"


_CUBE_LEVELS = (0, 95, 135, 175, 215, 255)


def _nearest_indexed(red: int, green: int, blue: int) -> int:
    """Return the nearest of xterm's 6 x 6 x 6 colour cube (16 to 231) and 24 greys (232 to 255)."""
    steps = [
        min(range(6), key=lambda step: abs(_CUBE_LEVELS[step] - channel)) for channel in (red, green, blue)
    ]
    grey = min(range(24), key=lambda step: abs(8 + 10 * step - (red + green + blue) / 3))
    cube_distance = sum(
        (_CUBE_LEVELS[step] - channel) ** 2 for step, channel in zip(steps, (red, green, blue), strict=True)
    )
    grey_distance = sum((8 + 10 * grey - channel) ** 2 for channel in (red, green, blue))
    if grey_distance < cube_distance:
        return 232 + grey
    return 16 + 36 * steps[0] + 6 * steps[1] + steps[2]
