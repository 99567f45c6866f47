"""How do the settings side by side read: their figures, their table, the classes gained and lost? Pure."""

import math
from collections.abc import Mapping, Sequence

from wbtui.adjustment import METHODS, label_of
from wbtui.metrics import AccuracySummary
from wbtui.report.figures import GROUP_TITLES, GROUPS, SCREEN_TITLES
from wbtui.report.table import Cell, Column, Table, figure_cell, percent_cell, text_cell
from wbtui.report.values import percent, points
from wbtui.store.text import plain
from wbtui.tui.adjust_bench import Exact
from wbtui.tui.adjust_trials import Outcome, Trial
from wbtui.tui.ink import Part, fitted, parts_width
from wbtui.tui.theme import BAD, GOOD

_ROOMY = 90  # cells from which the interval is called by its name

BASIS_WORDS = {
    "validation": "chosen on validation",
    "published": "published, nothing chosen",
    "given": "by hand, test in sight",
    "oracle": "oracle: best on test",
}
WRITTEN_GOALS = {"harmonic": "harmonic mean", "few": "Few"}
"""What is maximised where that is not All, in what is written and copied; the narrow words of the screen are below."""
_SCREEN_GOALS = {"harmonic": "harmonic", "few": "Tail"}


def symbol(trial: Trial, *, ascii_only: bool) -> str:
    """The strength's symbol."""
    found = METHODS[trial.method].symbol
    return {"τ": "tau", "γ": "gamma"}.get(found, found) if ascii_only else found


def method_label(name: str, *, ascii_only: bool = False) -> str:
    """A method in one or two words."""
    label = label_of(name)
    return label.replace("τ", "tau") if ascii_only else label


def method_cell(name: str) -> Cell:
    """A method in a table that is written: its label for people, its name for machines."""
    return Cell(method_label(name), name)


def figure_parts(outcome: Outcome | None, width: int) -> list[Part]:
    """Accuracy of all, head, medium and tail, how far each is from before, and the interval of All."""
    if outcome is None:
        return [(" test ", "bold"), (" ...", "dim")]
    parts = _groups(outcome, GROUPS)
    if parts_width(parts) > width:  # a figure that is cut off would be another number
        parts = _groups(outcome, GROUPS[:1])
    if outcome.rest is not None:
        low, high = outcome.rest.interval.low, outcome.rest.interval.high
        ways = [f" [{percent(low, digits)},{percent(high, digits)}]" for digits in (1, 0)]
        if width >= _ROOMY:
            ways.insert(0, f"  95 % of All {percent(low)} to {percent(high)}")
        room = width - parts_width(parts)  # a bound that is cut off would be another number
        parts.append((next((words for words in ways if len(words) <= room), ""), "dim"))
    return parts


def _groups(outcome: Outcome, changed: Sequence[str]) -> list[Part]:
    """Accuracy of all and of each group; how far it is from before for some of them."""
    parts: list[Part] = [(" test " if outcome.exact else " test ≈", "bold")]
    for group, label in SCREEN_TITLES.items():
        value, before = getattr(outcome.accuracy, group), getattr(outcome.before, group)
        parts += [(f" {label} ", ""), (percent(value), "bold")]
        parts += [change_part(value - before)] if group in changed else []
    return parts


def change_part(change: float) -> Part:
    """A change in percentage points: its arrow says which way, its colour whether that is good."""
    if not math.isfinite(change):
        return "", ""
    if abs(change) < 5e-5:
        return " =", "dim"
    return f" {'↑' if change > 0 else '↓'}{points(change)}", GOOD if change > 0 else BAD


def before_parts(before: AccuracySummary, exact: Exact | None) -> list[Part]:
    """The same without adjustment, and the calibration error with it."""
    figures = " ".join(f"{label} {percent(getattr(before, group))}" for group, label in SCREEN_TITLES.items())
    known = exact is not None and math.isfinite(exact.calibration_error)
    error = f"ECE {percent(exact.calibration_error)}   " if exact is not None and known else ""
    return [(f"{error}before: {figures} ", "dim")]


_WIDTHS = (
    ("run", 14),
    ("method", 14),
    ("strength", 12),
    ("figures", 24),
    ("change", 5),
    ("interval", 13),
    ("basis", 26),
)
_LEAST_RUN, _LEAST_METHOD = 8, 9


def table_header(width: int) -> list[Part]:
    """The heading of the settings side by side."""
    titles = {
        "run": "run",
        "method": "method",
        "strength": "strength",
        "figures": " " + " ".join(f"{label:>5}" for label in SCREEN_TITLES.values()),
        "change": " ΔAll",
        "interval": "95 % of All",
        "basis": "the strength is",
    }
    return [("  ", ""), *((fitted(titles[name], cells) + " ", "bold") for name, cells in _columns(width))]


def table_line(
    trial: Trial, outcome: Outcome | None, run: str, saved: bool, width: int, *, ascii_only: bool = False
) -> list[Part]:
    """One setting; a tick where it is saved."""
    cells = {
        "run": fitted(plain(run), dict(_columns(width)).get("run", _LEAST_RUN)),
        "method": method_label(trial.method, ascii_only=ascii_only),
        "strength": "-"
        if not trial.highest
        else f"{trial.strength:.3g}" + (f" γ {trial.gamma:.3g}" if trial.is_pair else ""),
        "figures": _figures(outcome),
        "change": "" if outcome is None else f"{points(outcome.accuracy.all - outcome.before.all):>5}",
        "interval": _interval(outcome),
        "basis": basis_of(trial),
    }
    tick: Part = ("✓ ", GOOD) if saved else ("  ", "")
    style = "dim" if trial.basis == "oracle" and trial.highest else ""
    return [tick, *((fitted(cells[name], size) + " ", style) for name, size in _columns(width))]


def _columns(width: int) -> list[tuple[str, int]]:
    """The columns that fit; what explains the figures goes first, of these the change, which stands above too."""
    columns = dict(_WIDTHS)
    less: Mapping[str, int]
    for less in (
        {"interval": 0},
        {"basis": 0},
        {"run": _LEAST_RUN},
        {"method": _LEAST_METHOD},
        {"change": 0},
    ):
        if 2 + sum(cells + 1 for cells in columns.values()) > width:
            columns = {name: cells for name, cells in (columns | less).items() if cells}
    return list(columns.items())


def _figures(outcome: Outcome | None) -> str:
    if outcome is None:
        return "   ..."
    values = [percent(getattr(outcome.accuracy, group)) for group in GROUPS]
    mark = " " if outcome.exact else "≈"
    return mark + " ".join(f"{value:>5}" for value in values)


def _interval(outcome: Outcome | None) -> str:
    if outcome is None or outcome.rest is None:
        return ""
    return f"{percent(outcome.rest.interval.low)} to {percent(outcome.rest.interval.high)}"


def basis_of(trial: Trial, goals: Mapping[str, str] = _SCREEN_GOALS) -> str:
    """How a strength was found, and what was maximised where that is not All; empty where there is none to find.

    Args:
        trial: The setting.
        goals: Name of a criterion → what it is called; those that are missing are not named.
    """
    if not trial.highest:
        return ""
    words, goal = BASIS_WORDS[trial.basis], goals.get(trial.criterion, "")
    if not goal or trial.basis not in ("validation", "oracle"):
        return words
    return f"{'on validation' if trial.basis == 'validation' else 'oracle on test'} by {goal}"


def trials_table(
    trials: Sequence[Trial], outcomes: Mapping[Trial, Outcome | None], names: Mapping[str, str]
) -> Table:
    """The settings side by side, to be written or copied; accuracies are of test.

    Args:
        trials: The settings.
        outcomes: What each came to.
        names: Run id → what it is called here.
    """
    columns = [Column("run", "run", right=False), Column("method", "adjustment", right=False)]
    columns += [Column("strength", "strength"), Column("gamma", "γ")]
    columns += [Column(group, label) for group, label in (*GROUP_TITLES.items(), ("change", "ΔAll"))]
    columns += [Column("low", "95 % from"), Column("high", "to"), Column("ece", "ECE")]
    columns.append(Column("basis", "the strength is", right=False))
    rows = []
    for trial in trials:
        outcome = outcomes.get(trial)
        cells = [text_cell(names.get(trial.run_id, trial.run_id)), method_cell(trial.method)]
        cells.append(figure_cell(trial.strength if trial.highest else None))
        cells.append(figure_cell(trial.gamma if trial.is_pair else None))
        cells += [
            percent_cell(None if outcome is None else getattr(outcome.accuracy, group))
            for group in GROUP_TITLES
        ]
        change = math.nan if outcome is None else outcome.accuracy.all - outcome.before.all
        cells.append(Cell(points(change), change))
        rest = None if outcome is None else outcome.rest
        cells += [percent_cell(None if rest is None else one) for one in _ends(rest)]
        cells.append(text_cell(basis_of(trial, WRITTEN_GOALS)))
        rows.append(tuple(cells))
    note = "test accuracy in %; bootstrap over the test images; prior from the training counts"
    return Table(tuple(columns), tuple(rows), notes=(note,))


def _ends(rest: Exact | None) -> tuple[float, float, float]:
    if rest is None:
        return math.nan, math.nan, math.nan
    return rest.interval.low, rest.interval.high, rest.calibration_error


def moved_classes(
    outcome: Outcome, names: Sequence[str], counts: Sequence[int], most: int
) -> tuple[list[Part], list[Part]]:
    """Which classes gained and which lost, the largest change first.

    Args:
        outcome: The setting.
        names: (C,) of the classes.
        counts: (C,) n_k.
        most: Classes that are named.
    """
    change = outcome.accuracy.by_class - outcome.before.by_class
    order = sorted((k for k in range(len(change)) if math.isfinite(change[k])), key=lambda k: -abs(change[k]))
    lines = []
    for word, sign, style in (("gained", 1, GOOD), ("lost", -1, BAD)):
        found = [k for k in order if sign * change[k] > 1e-12]
        parts: list[Part] = [(f" {word} {len(found):>3} ", f"bold {style}")]
        parts += [
            (f" {plain(names[k])} {points(float(change[k]))} n_k {counts[k]} ", "") for k in found[:most]
        ]
        parts += [(f" +{len(found) - most} more", "dim")] if len(found) > most else []
        lines.append(parts)
    return lines[0], lines[1]
