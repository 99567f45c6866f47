"""What stands in the columns of the table of runs, and which of them fit?"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from rich.cells import cell_len

from wbtui.plotting import GlyphSet, sparkline
from wbtui.report.values import MISSING, duration, epochs, figure, percent, plus_minus, size
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.alerts import MARK, alerts_of
from wbtui.tui.arranging import arranged
from wbtui.tui.ink import ascii_text
from wbtui.tui.lines import TableLine
from wbtui.tui.snapshots import RunDetail
from wbtui.tui.theme import ACCENT, BAD, CAUTION, GOOD, SECONDARY

STATE_COLOURS = {
    "running": GOOD,
    "finished": "",
    "starting": ACCENT,
    "queued": ACCENT,
    "stalled": CAUTION,
    "stopping": CAUTION,
    "ending": GOOD,
    "stopped": SECONDARY,
    "failed": f"{BAD} bold",
    "crashed": f"{BAD} bold",
    "unknown": "dim",
}
"""How states are written; the word itself says the same."""


@dataclass(frozen=True)
class Context:
    """What a cell needs beside its row."""

    short: Mapping[str, str]
    """Run id → the short id."""
    details: Mapping[str, RunDetail]
    now: float
    """Unix seconds."""
    glyphs: GlyphSet = GlyphSet.BRAILLE
    apart: Mapping[str, str] = field(default_factory=dict)
    """Run id → what tells it from others of its name, see `report.telling`."""


@dataclass(frozen=True)
class TableColumn:
    """One column."""

    key: str
    """A key of `report.fields` where runs can be ordered by it."""
    title: str
    width: int
    text: Callable[[TableLine, Context], str]
    right: bool = True
    drop: int = 0
    """On a narrow screen the column with the largest goes first; 0 stays always. What tells the shown runs apart
    goes last, see `alike`."""
    grouped_width: int = 0
    """Its width where seeds are folded; 0: the same."""


def _run(line: TableLine, context: Context) -> str:
    return plain(context.short.get(line.row.id, line.row.id))


def _variant(line: TableLine, context: Context) -> str:
    return plain(_named(line, context.apart))


def _named(line: TableLine, apart: Mapping[str, str]) -> str:
    name = line.name or line.row.problem or line.row.id
    return f"{name} {apart[line.row.id]}" if line.row.id in apart else name


def _seed(line: TableLine, context: Context) -> str:
    if len(line.members) > 1:
        others = len(line.counted.others)
        return f"n={line.n}" + (f" +{others}" if others else "")
    return MISSING if line.row.seed is None else str(line.row.seed)


def _epoch(line: TableLine, context: Context) -> str:
    row = line.leader
    return epochs(row.epoch, row.total_epochs) if not row.unreadable else MISSING


def eta_seconds(row: RunSummary, detail: RunDetail | None, now: float) -> float | None:
    """Seconds until a running run has done its epochs, from its recent epochs; None where that is not known."""
    left = row.total_epochs - row.epoch
    if row.state not in ("running", "stalled") or left <= 0 or row.epoch < 1:
        return None
    each = _recent_seconds(detail) if detail is not None else None
    if each is None and row.attempt == 1 and row.epoch > 1:
        each = (row.updated - row.started) / row.epoch  # `started` is before the first of them
    each = row.epoch_seconds if each is None else each
    if each is None or not math.isfinite(each):
        return None
    return max(0.0, left * each - max(0.0, now - row.updated))


def _recent_seconds(detail: RunDetail) -> float | None:
    """Median duration of recent epochs, evaluation included; None where no two of them belong to one attempt."""
    steps = np.diff(detail.seconds[-11:])
    # The first epoch of an attempt may have been half done before.
    if len(detail.attempts) == len(detail.seconds):
        steps = steps[np.diff(detail.attempts[-11:]) == 0]
    return float(np.median(steps)) if len(steps) else None


def _eta(line: TableLine, context: Context) -> str:
    waits = [
        seconds
        for row in line.members
        if (seconds := eta_seconds(row, context.details.get(row.id), context.now)) is not None
    ]
    return duration(round(max(waits))) if waits else MISSING


def _accuracy(group: str) -> Callable[[TableLine, Context], str]:
    return lambda line, context: _spread(line, f"test.accuracy.{group}", percent, context.glyphs)


def _figure(name: str) -> Callable[[TableLine, Context], str]:
    return lambda line, context: _spread(line, name, figure, context.glyphs)


def _spread(line: TableLine, name: str, written: Callable[[float | None], str], glyphs: GlyphSet) -> str:
    mean, std = line.mean_std(name)
    if line.n == 1:
        return written(mean)
    text = plus_minus(written(mean), written(std)).replace(" ", "")
    return ascii_text(text) if glyphs is GlyphSet.ASCII else text


def _trend(line: TableLine, context: Context) -> str:
    return _sparkline(line.counted.runs[-1].trend, context.glyphs)


@lru_cache(maxsize=512)  # a poll redraws every line in sight, and few of them have a new trend
def _sparkline(trend: tuple[float, ...], glyphs: GlyphSet) -> str:
    if not trend:
        return ""
    return "".join(sparkline(np.array(trend), min(len(trend), 10), glyphs=glyphs).lines())


def _state(line: TableLine, context: Context) -> str:
    return line.state + (MARK if any(alerts_of(row) for row in line.members) else "")


def _tags(line: TableLine, context: Context) -> str:
    return plain(" ".join(line.row.tags))


def _size(line: TableLine, context: Context) -> str:
    return size(sum(row.size for row in line.members))


COLUMNS = (
    TableColumn("state", "state", 9, _state, right=False),
    TableColumn("id", "run", 8, _run, right=False),
    TableColumn("preset", "preset", 13, lambda line, _: plain(line.row.preset), right=False, drop=2),
    TableColumn("variant", "variant", 16, _variant, right=False, drop=1),
    TableColumn("seed", "seed", 4, _seed, drop=3, grouped_width=7),
    TableColumn("epoch", "epoch", 9, _epoch),
    TableColumn("eta", "ETA", 7, _eta, drop=5),
    TableColumn("all", "All%", 5, _accuracy("all"), grouped_width=9),
    TableColumn("many", "Head", 5, _accuracy("many"), drop=4, grouped_width=9),
    TableColumn("medium", "Med", 5, _accuracy("medium"), drop=4, grouped_width=9),
    TableColumn("few", "Tail", 5, _accuracy("few"), drop=3, grouped_width=9),
    TableColumn("fdr", "FDR", 6, _figure("test.fdr"), drop=6, grouped_width=11),
    TableColumn("bn", "mean γ", 6, _figure("bn.scale.mean"), drop=9, grouped_width=11),
    TableColumn("trend", "trend", 10, _trend, right=False, drop=10),
    TableColumn("loss", "loss", 6, _figure("test.loss"), drop=13, grouped_width=11),
    TableColumn("size", "size", 5, _size, drop=14),
    TableColumn("tag", "tags", 24, _tags, right=False, drop=15),
)
"""All columns; `chosen_columns` takes those that are wanted, `fitting` those of them that fit."""

_RUN_COLUMN = next(column for column in COLUMNS if column.key == "id")

_ALIKE_DROP = {"preset": 12, "seed": 8}
"""The `drop` of a column in which all shown runs say the same."""

_WORTH_NARROWING = 6
"""The largest `drop` of a column for whose sake names get no more cells than the longest of them takes."""


def alike(lines: Sequence[TableLine]) -> frozenset[str]:
    """The columns that tell none of these lines apart: of the preset where all have one, of the seed likewise."""
    same = set() if len({line.row.preset for line in lines}) > 1 else {"preset"}
    several = any(len(line.members) > 1 for line in lines)  # whose n stands there
    return frozenset(same if several or len({line.row.seed for line in lines}) > 1 else same | {"seed"})


def longest_names(
    lines: Sequence[TableLine], short: Mapping[str, str], apart: Mapping[str, str] = MappingProxyType({})
) -> dict[str, int]:
    """Cells that the longest name in each column of names takes; by key, none for a table without lines.

    Args:
        lines: All lines, in sight or not, so that no scrolling moves a column.
        short: Run id → the short id.
        apart: See `Context`.
    """
    if not lines:
        return {}
    texts = {
        "id": {short.get(line.row.id, line.row.id) for line in lines},
        "preset": {line.row.preset for line in lines},
        "variant": {_named(line, apart) for line in lines},
    }
    return {key: max(cell_len(plain(text)) for text in found) for key, found in texts.items()}


def chosen_columns(order: Sequence[str], hidden: Sequence[str]) -> tuple[TableColumn, ...]:
    """The columns that somebody wants, in the order that he wants; that of the run where he wants none.

    Args:
        order: Keys; columns that are not among them come last.
        hidden: Keys of the columns that are not wanted.
    """
    return arranged(COLUMNS, order, hidden) or (_RUN_COLUMN,)


def fitting(
    width: int,
    *,
    grouped: bool,
    glyphs: GlyphSet = GlyphSet.BRAILLE,
    wanted: Sequence[TableColumn] = COLUMNS,
    same: frozenset[str] = frozenset(),
    longest: Mapping[str, int] = MappingProxyType({}),
) -> list[tuple[TableColumn, int]]:
    """The columns that fit into so many cells, with their widths; a cell stands between two.

    Args:
        width: Cells.
        grouped: Whether seeds are folded, whose figures take more room.
        glyphs: In ASCII the sign before a spread takes a cell more, `+-`.
        wanted: The columns that are chosen from, in their order.
        same: Keys of columns in which all lines say the same; they go early.
        longest: Of columns of names, how many cells their longest text takes; where a figure would find no room
            they get no more.
    """

    def drop(column: TableColumn) -> int:
        return _ALIKE_DROP[column.key] if column.key in same else column.drop

    sign = len(ascii_text("±")) - 1 if glyphs is GlyphSet.ASCII else 0
    widths = {
        column.key: column.grouped_width + sign if grouped and column.grouped_width else column.width
        for column in wanted
    }

    def spare(columns: Sequence[TableColumn]) -> int:
        return width - sum(widths[column.key] + 1 for column in columns)

    chosen = list(wanted)
    dropped: list[TableColumn] = []
    while spare(chosen) < 0 and len(chosen) > 1 and any(drop(column) for column in chosen):
        dropped.append(max(chosen, key=drop))
        chosen.remove(dropped[-1])
    if any(drop(column) <= _WORTH_NARROWING for column in dropped):
        for column in chosen:
            if column.key in longest:
                widths[column.key] = min(column.width, max(longest[column.key], len(column.title)))
        worth = [column for column in dropped if drop(column) <= _WORTH_NARROWING]
        worth.reverse()  # of two that are worth the same the one that went last comes first
        for column in sorted(worth, key=drop):
            if widths[column.key] < spare(chosen):
                chosen.append(column)
    chosen.sort(key=list(wanted).index)
    rest = min(max(spare(chosen), 0), 14)
    return [(one, widths[one.key] + (rest if one.key == "variant" else 0)) for one in chosen]


def sortable() -> list[TableColumn]:
    """The columns by which runs can be ordered."""
    return [column for column in COLUMNS if column.key not in ("eta", "trend")]
