"""How does the table of runs look?"""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.report.fields import ALIASES, FIELDS, field_named, sorted_rows
from wbtui.report.table import (
    Cell,
    Column,
    Table,
    count_cell,
    figure_cell,
    percent_cell,
    text_cell,
    without_empty,
)
from wbtui.report.telling import told_apart
from wbtui.report.values import epochs, size
from wbtui.store.ids import short_ids
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain

STATE_STYLES = {
    "running": "green",
    "finished": "bold green",
    "starting": "cyan",
    "queued": "cyan",
    "stalled": "yellow",
    "stopping": "yellow",
    "ending": "green",
    "stopped": "yellow",
    "failed": "bold red",
    "crashed": "bold red",
    "unknown": "dim",
}
_SHOWN_PROBLEMS = 5

_COLUMNS = (
    Column("star", "", right=False, drop=7),
    Column("run", "run", right=False),
    Column("state", "state", right=False),
    Column("preset", "preset", right=False, drop=8),
    Column("variant", "variant", right=False, drop=3),
    Column("typed", "set", right=False, drop=3),
    Column("name", "name", right=False, drop=11),
    Column("seed", "seed", drop=5),
    Column("epoch", "epoch"),
    Column("all", "All"),
    Column("many", "Many", drop=4),
    Column("medium", "Medium", drop=4),
    Column("few", "Few", drop=4),
    Column("fdr", "FDR", drop=6),
    Column("size", "size", drop=9),
    Column("tags", "tags", right=False, drop=10),
)
_TELLING = 5
"""The `drop` of the preset where it tells runs apart: it goes after the figures that do not."""


def listing_table(rows: Sequence[RunSummary], known: Iterable[str]) -> Table:
    """The table of runs, one line a run.

    Args:
        rows: what to show, in this order.
        known: ids of all runs of the folder, so that the short ids shown mean one run alone.
    """
    short = short_ids([*known, *(row.id for row in rows)])
    apart = told_apart(rows)
    lines = tuple(_line(row, short[row.id], apart.get(row.id, "")) for row in rows)
    broken = [f"{plain(row.id)}: {row.problem}" for row in rows if row.problem]
    more = len(broken) - _SHOWN_PROBLEMS
    notes = broken[:_SHOWN_PROBLEMS] + ([f"and {more} more that cannot be read"] if more > 0 else [])
    columns = tuple(
        replace(column, drop=_TELLING)
        if column.key == "preset" and len({row.preset for row in rows}) > 1
        else column
        for column in _COLUMNS
    )
    return without_empty(
        Table(columns, lines, notes=tuple(notes)), ("star", "preset", "typed", "name", "tags")
    )


def _line(row: RunSummary, short: str, apart: str) -> tuple[Cell, ...]:
    return (
        Cell("*" if row.star else "", row.star, "yellow"),
        text_cell(short, "bold"),
        Cell(row.state, row.state, STATE_STYLES[row.state]),
        text_cell(row.preset),
        text_cell(row.variant),
        text_cell(apart),
        text_cell(row.name),
        count_cell(row.seed),
        Cell(epochs(row.epoch, row.total_epochs), row.epoch),
        percent_cell(row.accuracy_all),
        percent_cell(row.accuracy_many),
        percent_cell(row.accuracy_medium),
        percent_cell(row.accuracy_few),
        figure_cell(row.fdr),
        Cell(size(row.size), row.size),
        text_cell(" ".join(row.tags)),
    )


def ordered(rows: Iterable[RunSummary], sort: str) -> list[RunSummary]:
    """Rows in the order that a person asked for.

    Args:
        rows: in the order of time.
        sort: a key of `fields.FIELDS`, with a minus before it descending; empty: as they are.

    Raises:
        UsageError: no such key.
    """
    rows = list(rows)
    if not sort:
        return rows
    key = sort.removeprefix("-")
    found = field_named(key)
    if found is None:
        raise UsageError(
            f"--sort {plain(sort)}: no key is called {key!r}{nearest(key.lower(), [*FIELDS, *ALIASES])}; "
            f"expected one of {', '.join(FIELDS)}"
        )
    return sorted_rows(rows, found, descending=sort.startswith("-"))


def listing_json(rows: Iterable[RunSummary]) -> list[dict[str, Any]]:
    """The rows with all their fields; accuracies are fractions."""
    return [{item.name: getattr(row, item.name) for item in fields(row)} for row in rows]
