"""What does an adjustment come to over the seeds of one setting: mean ± sample standard deviation, and n? Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wbtui.metrics import SeedStatistics, seed_statistics
from wbtui.report.adjust_tables import strengths_over_seeds
from wbtui.report.figures import GROUPS, SCREEN_TITLES
from wbtui.report.seeds import Candidate, one_a_seed, sentences
from wbtui.report.table import Cell, Table, figure_cell, text_cell
from wbtui.report.values import percent, plus_minus, points
from wbtui.tui.adjust_lines import WRITTEN_GOALS, basis_of, method_cell, method_label
from wbtui.tui.adjust_trials import Outcome, Trial
from wbtui.tui.ink import Part, ascii_text, fitted
from wbtui.tui.seeds import preset_last

_FIGURE = 9  # cells of 100.0±0.0; in ASCII one more


@dataclass(frozen=True)
class SeedFold:
    """One adjustment of several seeds, each once."""

    setting: str
    """What the seeds have in common, as a comparison calls it."""
    trials: tuple[Trial, ...]
    outcomes: tuple[Outcome, ...]
    said: tuple[str, ...] = ()
    """Which seeds were run more than once, and which of their runs count."""

    @property
    def n(self) -> int:
        """Seeds."""
        return len(self.trials)

    @property
    def exact(self) -> bool:
        """Whether all test images stand behind every seed."""
        return all(one.exact for one in self.outcomes)

    @property
    def strength(self) -> SeedStatistics:
        """Each seed chooses its own on its validation images."""
        return seed_statistics(np.array([one.strength for one in self.trials]))

    def accuracy(self, group: str) -> SeedStatistics:
        """Test accuracy of All or a group."""
        return seed_statistics(np.array([getattr(one.accuracy, group) for one in self.outcomes]))

    @property
    def change(self) -> SeedStatistics:
        """All, against no adjustment of the same seed."""
        return seed_statistics(np.array([one.accuracy.all - one.before.all for one in self.outcomes]))


def folded(
    trials: Sequence[Trial],
    outcomes: Mapping[Trial, Outcome | None],
    settings: Mapping[str, str],
    known: Mapping[str, Candidate],
    short: Mapping[str, str],
) -> list[SeedFold]:
    """Settings side by side, seeds put together where at least two are adjusted alike, each seed once.

    Alike: by one method, its strength found in one way, or set by hand to the same.

    Args:
        trials: The settings side by side.
        outcomes: What each came to; those that are not known yet do not count.
        settings: Run id → what its seeds have in common.
        known: Run id → whether it counts.
        short: Run id → its short id.
    """
    groups: dict[tuple[object, ...], dict[str, tuple[Trial, Outcome]]] = {}
    for trial in trials:
        outcome = outcomes.get(trial)
        if outcome is not None:
            by_hand = (trial.strength, trial.gamma) if trial.basis == "given" else ()
            key = (
                settings.get(trial.run_id, trial.run_id),
                trial.method,
                trial.basis,
                trial.criterion,
                by_hand,
            )
            groups.setdefault(key, {}).setdefault(trial.run_id, (trial, outcome))
    folds: list[SeedFold] = []
    for (setting, *_), seeds in groups.items():
        counted = one_a_seed(list(seeds), lambda run_id: known[run_id])
        if len(counted.runs) > 1:
            trials_of, outcomes_of = zip(*(seeds[run_id] for run_id in counted.runs), strict=True)
            said = sentences(str(setting), counted, short)
            folds.append(SeedFold(str(setting), trials_of, outcomes_of, said))
    return folds


def said_lines(folds: Sequence[SeedFold]) -> list[list[Part]]:
    """Which seeds were run more than once, a line each."""
    return [[(f"  {one}", "dim")] for one in dict.fromkeys(one for fold in folds for one in fold.said)]


def fold_header(width: int, *, ascii_only: bool = False) -> list[Part]:
    """The heading of the folded seeds."""
    columns = _columns(width, ascii_only=ascii_only)
    figure = dict(columns)["all"]
    titles = {
        "setting": "over seeds",
        "method": "method",
        **{group: f"{label:>{figure}}" for group, label in SCREEN_TITLES.items()},
        "change": f"{'ΔAll':>{figure}}",
        "strength": "strength",
        "basis": "the strength is",
    }
    return [("  ", ""), *((fitted(titles[name], cells) + " ", "bold") for name, cells in columns)]


def fold_line(fold: SeedFold, width: int, *, preset: object = None, ascii_only: bool = False) -> list[Part]:
    """One adjustment over its seeds; the preset is that of their setting."""
    first = fold.trials[0]
    columns = _columns(width, ascii_only=ascii_only)
    figure = dict(columns)["all"]

    def written(text: str) -> str:
        return ascii_text(text) if ascii_only else text

    cells = {
        "setting": _with_n(fold, preset, dict(columns)["setting"]),
        "method": method_label(first.method, ascii_only=ascii_only),
        **{group: f"{written(_percent(fold.accuracy(group))):>{figure}}" for group in GROUPS},
        "change": f"{written(_points(fold.change)):>{figure}}",
        "strength": written(_strength(fold)),
        "basis": basis_of(first),
    }
    mark = "  " if fold.exact else "≈ "
    style = "dim" if first.basis == "oracle" and first.highest else ""
    return [(mark, ""), *((fitted(cells[name], size) + " ", style) for name, size in columns)]


def _with_n(fold: SeedFold, preset: object, width: int) -> str:
    """What the seeds are of, cut where that is long: their number stays in sight."""
    number = f" n={fold.n}"
    return fitted(preset_last(fold.setting, preset), width - len(number)).rstrip() + number


_FIGURES = (*GROUPS, "change")
_WIDTHS = (
    ("setting", 12),
    ("method", 12),
    *((name, _FIGURE) for name in _FIGURES),
    ("strength", 11),
    ("basis", 26),
)


def _columns(width: int, *, ascii_only: bool) -> list[tuple[str, int]]:
    """The columns that fit, Tail longer than Head; what room is left goes to the names, first to those of methods."""
    sign = len(ascii_text("±")) - 1 if ascii_only else 0
    columns = [(name, cells + sign * (name in _FIGURES)) for name, cells in _WIDTHS]
    for less in ("basis", "strength", "change", "many", "medium", "few"):
        if 2 + sum(cells + 1 for _, cells in columns) > width:
            columns = [(name, cells) for name, cells in columns if name != less]
    spare = max(width - 2 - sum(cells + 1 for _, cells in columns), 0)
    method = min(spare, 4)  # tau-norm no bias
    more = {"setting": min(spare - method, 20), "method": method}
    return [(name, cells + more.get(name, 0)) for name, cells in columns]


def _percent(found: SeedStatistics) -> str:
    return plus_minus(percent(found.mean), percent(found.std)).replace(" ", "")


def _points(found: SeedStatistics) -> str:
    return plus_minus(points(found.mean), percent(found.std)).replace(" ", "")


def _strength(fold: SeedFold) -> str:
    if not fold.trials[0].highest:
        return "-"
    return strengths_over_seeds([trial.strength for trial in fold.trials]).replace(" ", "")


def with_folds(table: Table, folds: Sequence[SeedFold]) -> Table:
    """The table of settings with a row for each fold below, to be written or copied.

    Args:
        table: Of `adjust_lines.trials_table`.
        folds: What is added.
    """
    rows = []
    for fold in folds:
        first = fold.trials[0]
        known = {
            "run": text_cell(f"{fold.setting}, n = {fold.n}"),
            "method": method_cell(first.method),
            "strength": Cell(_strength(fold), fold.strength.mean if first.highest else None),
            "change": Cell(_points(fold.change), fold.change.mean),
            "basis": text_cell(basis_of(first, WRITTEN_GOALS)),
        }
        for group in GROUPS:
            known[group] = Cell(_percent(fold.accuracy(group)), fold.accuracy(group).mean)
        rows.append(tuple(known.get(column.key, figure_cell(None)) for column in table.columns))
    notes = dict.fromkeys(
        one for fold in folds for one in ("over seeds: mean ± sample standard deviation", *fold.said)
    )
    return Table(table.columns, (*table.rows, *rows), table.title, (*table.notes, *notes))
