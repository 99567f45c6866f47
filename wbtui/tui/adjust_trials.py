"""Which settings stand side by side, and what does a key make of one? Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wbtui.adjustment import CRITERIA, DEFAULT_METHOD, METHODS, AdditiveMultiplicative, label_of
from wbtui.metrics import AccuracySummary
from wbtui.report.figures import GROUP_TITLES, SCREEN_TITLES
from wbtui.report.table import Cell, Column, Table, figure_cell, percent_cell, text_cell
from wbtui.report.values import percent, points
from wbtui.store.text import plain
from wbtui.tui.adjust_bench import Exact, MethodKey
from wbtui.tui.ink import Part, fitted, parts_width
from wbtui.tui.theme import BAD, GOOD

STEP = 0.05
FINE = 0.01
LEAP = 0.5
HIGHEST_GAMMA = 2.0
MOST_TRIALS = 12
_ROOMY = 90  # cells from which the interval is called by its name

BASIS_WORDS = {
    "validation": "chosen on validation",
    "published": "published, nothing chosen",
    "given": "by hand, test in sight",
    "oracle": "oracle: best on test",
}
GROUP_LABELS = tuple(SCREEN_TITLES.items())
WRITTEN_GOALS = {"harmonic": "harmonic mean", "few": "Few"}
"""What is maximised where that is not All, in what is written and copied; the narrow words of the screen are below."""
_SCREEN_GOALS = {"harmonic": "harmonic", "few": "Tail"}


@dataclass(frozen=True)
class Trial:
    """One setting of one run."""

    run_id: str
    method: str = DEFAULT_METHOD
    strength: float = 0.0
    gamma: float = 0.0
    """Multiplicative strength of the pair; 0 for all other methods."""
    basis: str = "published"
    """What speaks for the strength, see report.derived.BASES."""
    criterion: str = "all"
    follows: bool = True
    """Whether it takes the chosen strength as soon as that is known: nobody has moved it."""

    @property
    def key(self) -> MethodKey:
        """The method, with what belongs to it."""
        return MethodKey(self.method, self.gamma)

    @property
    def highest(self) -> float:
        """Where the strength ends; 0 where there is none to set."""
        return METHODS[self.method].highest_strength

    @property
    def is_pair(self) -> bool:
        """Whether it has two strengths."""
        return isinstance(METHODS[self.method], AdditiveMultiplicative)


def moved_to(trial: Trial, strength: float) -> Trial:
    """Another strength, by hand."""
    kept = round(min(max(strength, 0.0), trial.highest), 6)
    return replace(trial, strength=kept, basis="given", follows=False) if trial.highest else trial


def stepped(trial: Trial, by: float) -> Trial:
    """The next multiple of a step up or down."""
    size = abs(by)
    count = trial.strength / size
    nearest = math.floor(count + 1e-6) + 1 if by > 0 else math.ceil(count - 1e-6) - 1
    return moved_to(trial, nearest * size)


def with_gamma(trial: Trial, gamma: float) -> Trial:
    """Another multiplicative strength of the pair, by hand."""
    if not trial.is_pair:
        return trial
    return replace(trial, gamma=round(min(max(gamma, 0.0), HIGHEST_GAMMA), 6), basis="given", follows=False)


def with_method(trial: Trial, name: str, classes: int) -> Trial:
    """Another method; it begins at its published strength and takes the chosen one as soon as that is known."""
    method = METHODS[name]
    gamma = method.gamma if isinstance(method, AdditiveMultiplicative) else 0.0
    return replace(
        trial,
        method=name,
        gamma=gamma,
        strength=method.offered_strength(classes),
        basis="published",
        follows=True,
    )


def chosen(trial: Trial, strength: float, basis: str, gamma: float | None = None) -> Trial:
    """The strength that something speaks for."""
    return replace(
        trial,
        strength=strength,
        gamma=trial.gamma if gamma is None else gamma,
        basis=basis,
        follows=False,
    )


def next_criterion(trial: Trial) -> Trial:
    """What is maximised next; a strength that was chosen is chosen anew."""
    names = list(CRITERIA)
    name = names[(names.index(trial.criterion) + 1) % len(names)]
    return replace(trial, criterion=name, follows=trial.basis in ("validation", "oracle") or trial.follows)


def with_seeds(trials: Sequence[Trial], index: int, others: Sequence[str]) -> list[Trial]:
    """The same adjustment for other seeds, in the place of what they had there, else behind their last line.

    Where validation chooses, each seed takes the strength that its own validation images choose.

    Args:
        trials: The settings side by side.
        index: The one to follow.
        others: Run ids of the other seeds; those that find no place any more are left out.
    """
    model = trials[index]
    place = [one.run_id for one in trials[:index]].count(model.run_id)
    found = list(trials)
    for run_id in others:
        alike = replace(model, run_id=run_id, follows=model.basis == "validation")
        own = [at for at, one in enumerate(found) if one.run_id == run_id]
        if len(own) > place:
            found[own[place]] = alike
        elif len(found) < MOST_TRIALS:
            found.insert(own[-1] + 1 if own else len(found), alike)
    return found


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


# ---------------------------------------------------------------------- lines


@dataclass(frozen=True)
class Outcome:
    """What a setting came to, as far as it is known."""

    accuracy: AccuracySummary
    before: AccuracySummary
    exact: bool
    """Whether all test images stand behind it, at this very strength."""
    rest: Exact | None = None
    """With interval and calibration, once the strength rests."""


def figure_parts(outcome: Outcome | None, width: int) -> list[Part]:
    """Accuracy of all, head, medium and tail, how far each is from before, and the interval of All."""
    if outcome is None:
        return [(" test ", "bold"), (" ...", "dim")]
    parts = _groups(outcome, GROUP_LABELS)
    if parts_width(parts) > width:  # a figure that is cut off would be another number
        parts = _groups(outcome, GROUP_LABELS[:1])
    if outcome.rest is not None:
        low, high = outcome.rest.interval.low, outcome.rest.interval.high
        ways = [f" [{percent(low, digits)},{percent(high, digits)}]" for digits in (1, 0)]
        if width >= _ROOMY:
            ways.insert(0, f"  95 % of All {percent(low)} to {percent(high)}")
        room = width - parts_width(parts)  # a bound that is cut off would be another number
        parts.append((next((words for words in ways if len(words) <= room), ""), "dim"))
    return parts


def _groups(outcome: Outcome, changed: Sequence[tuple[str, str]]) -> list[Part]:
    """Accuracy of all and of each group; how far it is from before for some of them."""
    parts: list[Part] = [(" test " if outcome.exact else " test ≈", "bold")]
    for group, label in GROUP_LABELS:
        value, before = getattr(outcome.accuracy, group), getattr(outcome.before, group)
        parts += [(f" {label} ", ""), (percent(value), "bold")]
        parts += [change_part(value - before)] if (group, label) in changed else []
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
    figures = " ".join(f"{label} {percent(getattr(before, group))}" for group, label in GROUP_LABELS)
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
        "figures": " " + " ".join(f"{label:>5}" for _, label in GROUP_LABELS),
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
    values = [percent(getattr(outcome.accuracy, group)) for group, _ in GROUP_LABELS]
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
