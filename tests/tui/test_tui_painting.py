"""Are the rows that differ painted again, and only those?"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rich.style import Style
from textual.geometry import Region, Size
from textual.widget import Widget

from wbtui.plotting import Canvas
from wbtui.tui.ink import canvas_strips
from wbtui.tui.widgets.painting import Painting, bands

BASE, TITLE, ACTIVE = Style(bgcolor="#101010"), Style(bgcolor="#202020"), Style(bgcolor="#303030")


class Wall(Widget):
    """Remembers what was to be painted again."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Region, ...]] = []

    def refresh(self, *regions: Region, **_: object) -> "Wall":  # type: ignore[override]
        if hasattr(self, "asked"):
            self.asked.append(regions)
        return self

    @property
    def size(self) -> Size:
        return Size(3, 5)


def canvas(glyphs: Sequence[Sequence[str]]) -> Canvas:
    shape = (len(glyphs), len(glyphs[0]))
    plain = np.full(shape, -1, dtype=np.int32)
    return Canvas(np.array(glyphs, dtype="<U1"), plain, plain, np.zeros(shape, dtype=np.uint8))


LETTERS = arrays.arrays("<U1", (5, 3), elements=st.sampled_from("ab"))


@given(st.lists(st.tuples(LETTERS, st.sampled_from([TITLE, ACTIVE])), min_size=1, max_size=4))
def test_after_any_pictures_the_strips_are_those_of_the_last(
    pictures: list[tuple[np.ndarray, Style]],
) -> None:
    wall, painting = Wall(), Painting()
    for letters, title in pictures:
        painting.show(wall, canvas(letters.tolist()), BASE, title)
    fresh = canvas_strips(canvas(pictures[-1][0].tolist()), BASE, pictures[-1][1])
    assert [painting.line(wall, row) for row in range(5)] == fresh


@pytest.mark.parametrize("sign", "█░")
def test_the_scale_of_a_heatmap_is_not_reversed_with_its_title(sign: str) -> None:
    coloured = Canvas(*(np.array([each]) for each in (["a", sign], [-1, 0xFDE725], [-1, -1], [0, 0])))
    title, scale = canvas_strips(coloured, BASE, BASE + Style(reverse=True))[0]
    assert (title.style.reverse, scale.style.reverse) == (True, False)


def test_only_rows_that_differ_are_painted_again() -> None:
    wall, painting = Wall(), Painting()
    before = [["a"] * 3 for _ in range(5)]
    painting.show(wall, canvas(before), BASE, TITLE)
    assert wall.asked == [()]
    painting.show(wall, canvas(before), BASE, TITLE)
    assert len(wall.asked) == 1
    after = [row[:] for row in before]
    after[1][0] = after[2][2] = after[4][1] = "b"
    painting.show(wall, canvas(after), BASE, TITLE)
    assert wall.asked[1] == (Region(0, 1, 3, 2), Region(0, 4, 3, 1))
    painting.show(wall, canvas(after), BASE, ACTIVE)
    assert wall.asked[2] == (Region(0, 0, 3, 1),)
    painting.show(wall, canvas(after), ACTIVE, ACTIVE)
    assert wall.asked[3] == ()


@given(st.sets(st.integers(0, 20)))
def test_bands_cover_exactly_the_rows(rows: set[int]) -> None:
    found = bands(sorted(rows), 7)
    assert [row for band in found for row in range(band.y, band.bottom)] == sorted(rows)
    assert all(one.bottom < other.y for one, other in pairwise(found))
