"""Does text fit into its cells, and does nothing of it get lost?"""

from dashboard_helpers import TEXTS
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from wbtui.tui.ink import abridged, ascii_text, fitted
from wbtui.tui.widgets.text_pane import wrapped


@given(TEXTS, st.integers(0, 40), st.booleans())
def test_fitted_text_takes_exactly_its_cells(text: str, width: int, right: bool) -> None:
    assert cell_len(fitted(text, width, right=right)) == width


def test_of_a_long_line_beginning_and_end_stay() -> None:
    short, found = abridged(f"short\n'{'x' * 5000}': expected one of ce, wd").split("\n")
    assert short == "short"
    assert len(found) <= 300
    assert found.startswith("'xxx")
    assert found.endswith("xxx': expected one of ce, wd")


@given(st.text())
def test_ascii_text_is_ascii(text: str) -> None:
    assert ascii_text(text).isascii()


@given(st.lists(st.tuples(TEXTS, st.just("")), max_size=4), st.integers(2, 30))
def test_wrapped_lines_lose_nothing_and_fit(line: list[tuple[str, str]], width: int) -> None:
    rows = wrapped(tuple(line), width)
    whole = [*rows[0], *(part for row in rows[1:] for part in row[1:])]  # without what indents the others
    assert "".join(text for text, _ in whole) == "".join(text for text, _ in line)
    assert all(sum(cell_len(text) for text, _ in row) <= width for row in rows)


def test_a_wrapped_value_goes_on_below_itself() -> None:
    rows = wrapped(((" command   ", "dim"), (" " + "word " * 12, "")), 40)
    assert len(rows) == 3
    assert all(
        text.startswith(" " * 12 + "word") for text in ("".join(t for t, _ in row) for row in rows[1:])
    )
    assert wrapped((("漢漢", ""),), 1)[0] == (("漢", ""),)
