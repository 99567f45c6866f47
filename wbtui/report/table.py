"""What is a table before it is text, Markdown, LaTeX or CSV?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from wbtui.report.values import figure, percent
from wbtui.store.text import plain

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Cell:
    """One entry: what a person reads and what a machine does."""

    text: str
    """Harmless to a terminal, no markup."""

    value: Value = None
    """For CSV: a fraction where `text` is percent."""

    style: str = ""
    """A rich style, or none."""

    best: bool = False
    """Whether it is the best of its column: bold."""


@dataclass(frozen=True)
class Column:
    """One column."""

    key: str
    """Its name for machines."""

    title: str
    """Its heading for people."""

    right: bool = True
    """Whether its cells stand at the right, as numbers do."""

    drop: int = 0
    """On a narrow terminal the column with the largest goes first; 0 stays always."""

    wrap: bool = False
    """Whether its cells may take several lines, as sentences do."""


@dataclass(frozen=True)
class Table:
    """Columns, rows and what must be said about them."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()
    """Sentences below the table."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row of {len(row)} cells in a table of {len(self.columns)} columns")


def without_empty(table: Table, keys: Iterable[str]) -> Table:
    """The table without those of these columns in which no cell has text."""
    gone = {
        index
        for index, column in enumerate(table.columns)
        if column.key in keys and not any(row[index].text for row in table.rows)
    }
    kept = [index for index in range(len(table.columns)) if index not in gone]
    return replace(
        table,
        columns=tuple(table.columns[index] for index in kept),
        rows=tuple(tuple(row[index] for index in kept) for row in table.rows),
    )


def text_cell(text: str, style: str = "", *, lines: bool = False) -> Cell:
    """Text from anywhere, shown literally; `lines`: in the lines it has."""
    shown = plain(text, lines=lines)
    return Cell(shown.expandtabs() if lines else shown, text, style)


def percent_cell(fraction: float | None, style: str = "") -> Cell:
    """An accuracy."""
    return Cell(percent(fraction), fraction, style)


def figure_cell(value: float | None, digits: int = 3) -> Cell:
    """A number."""
    return Cell(figure(value, digits), value)


def count_cell(value: int | None) -> Cell:
    """A whole number."""
    return Cell("-" if value is None else str(value), value)


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """A table of names and values, without headings."""
    columns = (Column("name", "", right=False), Column("value", "", right=False, wrap=True))
    return Table(
        columns, tuple((text_cell(name, "bold"), text_cell(value, lines=True)) for name, value in rows)
    )
