"""How does the comparison read: the cells of its table, the classes gained and lost, what differs? Pure."""

import math
from collections.abc import Collection, Sequence
from textwrap import wrap

import numpy as np
from rich.cells import cell_len

from wbtui.metrics import seed_statistics
from wbtui.plotting import Canvas, Colormap, GlyphSet, HeatmapOptions, heatmap
from wbtui.report.compare import METRICS, Compared, Comparison, is_best
from wbtui.report.compare_tables import difference_tables, metric_table
from wbtui.report.differences import MARKS
from wbtui.report.entries import Entry
from wbtui.report.table import Table
from wbtui.report.values import plus_minus, points
from wbtui.store.text import plain
from wbtui.tui.compare_work import Board, ClassDifference, why_nothing_by_class
from wbtui.tui.ink import Part, fitted
from wbtui.tui.pages import table_lines
from wbtui.tui.seeds import preset_last
from wbtui.tui.theme import BAD, CAUTION, GOOD
from wbtui.tui.widgets.text_pane import Line

_TITLES = {
    "test.accuracy.all": "All %",
    "test.accuracy.many": "Head %",
    "test.accuracy.medium": "Med %",
    "test.accuracy.few": "Tail %",
    "validation.accuracy.all": "val All %",
}
_LONGEST_NAME = 28  # cells of a setting's name within a sentence
_ORACLE = " (oracle)"  # what the label of an entry ends with
Cell = tuple[Part, ...]


def metric_rows(comparison: Comparison) -> list[tuple[str, list[Cell]]]:
    """A row for each metric that somebody measured: its name with an arrow to the better side, a cell a column."""
    return [
        (_title(one), [_cell(comparison, one, index) for index in range(len(comparison.entries))])
        for one in METRICS
        if any(entry.values(one.metric).size for entry in comparison.entries)
    ]


def _title(one: Compared) -> str:
    arrow = {1: " ↑", -1: " ↓", 0: ""}[one.better]
    return _TITLES.get(one.metric, one.title.rstrip("↑↓ ")) + arrow


def _cell(comparison: Comparison, one: Compared, index: int) -> Cell:
    """Mean ± std, then the difference: its arrow says which way, its colour whether that is better."""
    values = comparison.entries[index].values(one.metric)
    if not values.size:
        return (("-", "dim"),)
    found = seed_statistics(values)
    text = plus_minus(one.write(found.mean), one.write(found.std)).replace(" ", "")
    if found.n != comparison.entries[index].n:
        text += f" (n={found.n})"
    parts: list[Part] = [(text, "bold" if is_best(comparison, one, index) else "")]
    apart = comparison.differences.get((one.metric, index))
    if apart is not None and math.isfinite(apart.value):
        text = one.write_difference(apart.value)
        arrow = "↑" if apart.value > 0 else "↓"
        if not text.strip("+-0."):  # too small to be read
            arrow, text = "=", ""
        gain = one.better * apart.value
        style = "dim"
        if apart.significant and gain and text:
            style = GOOD if gain > 0 else BAD
        parts.append((f" {arrow}{text}{MARKS[apart.verdict]}", style))
    return tuple(parts)


def column_title(entry: Entry, *, is_baseline: bool, gone: Collection[str] = ()) -> tuple[str, str]:
    """Two lines above a column: what it is, and how many seeds; of how many the run has been taken away."""
    count = sum(one.run.id in gone for one in entry.members)
    words = f"{count} gone" if entry.n > 1 else "gone"
    return called(named(entry)), f"n={entry.n}" + f", {words}" * bool(count) + " ◆ baseline" * is_baseline


def named(entry: Entry) -> str:
    """What a setting is called here: the preset, where several stand beside each other, last, since names are cut."""
    own = entry.label.removesuffix(_ORACLE)
    return preset_last(own, entry.setting.values.get("preset")) + entry.label[len(own) :]


def called(label: str) -> str:
    """A setting by its name, that it is an oracle first: where the name is cut that must stay in sight."""
    rest = plain(label).removesuffix(_ORACLE)
    return plain(label) if rest == plain(label) else f"oracle: {rest}"


def rule_lines(comparison: Comparison, width: int) -> list[Line]:
    """What the marks mean here, that first: a low screen has room for no more."""
    rules = sorted(metric_table(comparison).notes, key=lambda rule: rule.startswith("mean"))
    return paragraphs([(rule, "dim") for rule in rules], width)


def paragraphs(texts: Sequence[Part], width: int) -> list[Line]:
    """Sentences, broken between words."""
    return [((row, style),) for text, style in texts for row in wrap(plain(text), max(width, 20))]


def cells_width(cell: Cell) -> int:
    """Terminal cells of a table cell."""
    return sum(cell_len(text) for text, _ in cell)


# ---------------------------------------------------------------------- classes


def class_lines(board: Board, short: Sequence[str], width: int) -> list[Line]:
    """For each column the classes that gained and those that lost against the baseline, the largest change first.

    Args:
        board: The comparison.
        short: What each column is called.
        width: Cells of a line.
    """
    lines: list[Line] = []
    for index, found in enumerate(board.by_class):
        if index == board.baseline:
            continue
        lines.append(((short[index], "bold"), (f" against {short[board.baseline]}", "dim")))
        if found is None:
            why = f"nothing by class: {_why_nothing(board, index)}"
            lines += [((f"  {row}", ""),) for row in wrap(why, max(width - 2, 20), subsequent_indent="  ")]
            continue
        lines += _moved(board, found, "gained", 1, width)
        lines += _moved(board, found, "lost", -1, width)
    if any(found is not None and np.isfinite(found.sure).any() for found in board.by_class):
        rule = _class_rule(board)
        lines += paragraphs(
            [(f"*: {rule} leaves 0 out, class by class, not corrected for their number", "dim")], width
        )
    return lines


def _why_nothing(board: Board, index: int) -> str:
    return why_nothing_by_class(board.entries[board.baseline], board.entries[index])


def _class_rule(board: Board) -> str:
    """The interval that the stars of the classes rest on."""
    rules = {found.paired for found in board.by_class if found is not None and np.isfinite(found.sure).any()}
    words = {True: "paired t", False: "Welch's"}
    named = words[rules.pop()] if len(rules) == 1 else "paired t (same runs) or Welch's"
    return f"the 95 % interval over seeds, {named},"


def _moved(board: Board, found: ClassDifference, word: str, sign: int, width: int) -> list[Line]:
    """The classes whose accuracy went one way, broken between them."""
    order = np.argsort(-sign * np.nan_to_num(found.mean), kind="stable")
    moved = [int(k) for k in order if sign * np.nan_to_num(found.mean[k]) > 1e-12]
    head = f"  {word} {len(moved)}:"
    rows: list[list[Part]] = [[(head, f"bold {GOOD if sign > 0 else BAD}")]]
    left = width - len(head)
    for k in moved:
        star = "*" if found.sure[k] == 1 else ""
        text = f"  {plain(board.axis.called[k])} {points(float(found.mean[k]))}{star}"
        count = f" n_k {board.counts[k]}" if board.counts else ""
        size = cell_len(text + count)
        if size > left and len(rows[-1]) > 1:
            rows.append([("    ", "")])
            left = width - 4
        rows[-1] += [(text, ""), (count, "dim")]
        left -= size
    return [tuple(row) for row in rows]


def class_heatmap(
    board: Board, short: Sequence[str], glyphs: GlyphSet, colour: bool, width: int, height: int
) -> Canvas:
    """Difference of accuracy to the baseline in percentage points, a row a column of the table, head to tail."""
    shown = [index for index, found in enumerate(board.by_class) if found is not None]
    rows = [100 * found.mean[board.axis.order] for found in board.by_class if found is not None]
    others = [index for index in range(len(short)) if index != board.baseline]
    whys = dict.fromkeys(_why_nothing(board, index).partition(":")[0] for index in others)
    options = HeatmapOptions(
        width,
        height,
        title=f"Points against {short[board.baseline]}, {' to '.join(board.axis.ends)}",
        glyphs=glyphs,
        colour=colour,
        colormap=Colormap.DIVERGING,
        row_names=tuple(short[index] for index in shown),
        column_names=board.axis.names if rows else (),
        x_label="class",
        nothing=f"nothing by class: {'; '.join(whys)}",
    )
    return heatmap(np.stack(rows) if rows else np.zeros((0, 0)), options).canvas


# ---------------------------------------------------------------------- settings


def setting_lines(comparison: Comparison, width: int) -> list[Line]:
    """What differs: configuration, and what the figures rest on.

    Args:
        comparison: The comparison.
        width: Cells of a line; a table that is wider is written below itself.
    """
    lines: list[Line] = []
    names = short_names([named(entry) for entry in comparison.entries])
    for table in difference_tables(comparison):
        rows = table_lines(table)
        fits = all(cells_width(row) <= width for row in rows)
        lines += [*(rows if fits else _below_each_other(table, names, width)), ()]
    return lines


def _below_each_other(table: Table, names: Sequence[str], width: int) -> list[Line]:
    """A line a key, below it each value with the names of the columns that have it."""
    lines: list[Line] = [((f" {table.columns[0].title}", "dim"),)]
    for key, *cells in table.rows:
        lines.append(((f" {key.text}", "bold"),))
        having: dict[str, list[str]] = {}
        for name, cell in zip(names, cells, strict=True):
            having.setdefault(cell.text, []).append(name)
        for value, who in having.items():
            said = wrap(f"{', '.join(who)}: {value}", max(width - 3, 20), subsequent_indent="  ")
            lines += [((f"   {row}", ""),) for row in said]
    return lines + [((f" {note}", "dim"),) for note in table.notes]


def short_names(labels: Sequence[str]) -> list[str]:
    """What settings are called where there is little room: longer names are cut, unless they then read alike."""
    whole = [called(label) for label in labels]
    cut = [fitted(name, min(cell_len(name), _LONGEST_NAME)) for name in whole]
    return [short if cut.count(short) == 1 else name for name, short in zip(whole, cut, strict=True)]


def titles_apart(names: Sequence[str], width: int) -> list[str]:
    """Names above columns of so many cells: of those that would read alike the middle is left out, not the end."""
    cut = [fitted(name, width) for name in names]
    half = (width - 1) // 2
    return [
        short
        if cell_len(name) <= width or cut.count(short) == 1
        else fitted(f"{name[:half]}…{name[-half:]}", width)
        for name, short in zip(names, cut, strict=True)
    ]


def problem_lines(comparison: Comparison, more: Sequence[str], width: int) -> list[Line]:
    """What must be read first."""
    said = [*comparison.problems, *more]
    return paragraphs([(one, f"bold {BAD}" if "NOT COMPARABLE" in one else CAUTION) for one in said], width)


def shortened(said: Sequence[Line], room: int) -> list[Line]:
    """As many lines as there is room for, the last one saying where the rest stands."""
    if len(said) <= room:
        return list(said)
    return [*said[: room - 1], (("more than fits here: in full on the page of settings", CAUTION),)]
