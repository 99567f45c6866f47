"""How do long names fit beside the rows of a picture, each still another one?"""

from collections.abc import Iterator
from functools import lru_cache

from wbtui.plotting.canvas import shortened


@lru_cache(maxsize=64)
def told_apart(names: tuple[str, ...], width: int, widest: int, ellipsis: str) -> tuple[str, ...]:
    """Names cut to as few cells as tell them apart: at the end where that does, else in the middle.

    Args:
        names: By row; those that are the same stay so.
        width: Characters a name may have ...
        widest: ... and may have where it could not be told from another otherwise.
        ellipsis: One character, in place of what was cut.
    """
    apart = len(set(names))
    for most in range(width, widest + 1):
        for cut in _cuts(names, most, ellipsis):
            if len(set(cut)) == apart:
                return cut
    return tuple(shortened(name, width, ellipsis) for name in names)


def _cuts(names: tuple[str, ...], most: int, ellipsis: str) -> Iterator[tuple[str, ...]]:
    """The ways to cut names to so many characters, those that keep most of the beginning first."""
    for end in range(most):
        begin = most - 1 - end
        yield tuple(
            name if len(name) <= most else name[:begin] + ellipsis + name[len(name) - end :] for name in names
        )
