"""Which runs do the panels show, and in which colour each? Never two alike among those shown."""

from collections.abc import Container, Iterable, Mapping

from wbtui.plotting import SeriesStyle, series_style
from wbtui.plotting.palette import DEFAULT

MOST_SHOWN = 8
"""More curves than this nobody tells apart."""


def marked_ids(
    current: str, pinned: Iterable[str], selected: Iterable[str], there: Container[str]
) -> list[str]:
    """The runs that are pointed at: the one under the cursor, then pinned, then selected ones, each once."""
    wanted = dict.fromkeys([current, *pinned, *selected])
    return [name for name in wanted if name in there]


def colours_for(ids: Iterable[str], before: Mapping[str, int]) -> dict[str, int]:
    """Run id → index of its style: those that have one keep it, the others get the lowest that is free."""
    ids = list(ids)
    given: dict[str, int] = {}
    for name in ids:
        if name in before and before[name] not in given.values():
            given[name] = before[name]
    for name in ids:
        if name not in given:
            given[name] = next(index for index in range(len(ids) + 64) if index not in given.values())
    return given


def rich_colour(style: SeriesStyle) -> str:
    """The colour of a series as rich writes it."""
    return "bold" if style.colour == DEFAULT else f"#{style.colour:06x}"


def style_of(index: int) -> SeriesStyle:
    """The style with this index."""
    return series_style(index)
