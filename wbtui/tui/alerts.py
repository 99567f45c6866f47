"""What about a run should somebody know who is not looking at it? Derived from its row by readers; pure.

Only the trainer writes alert events. Everything here follows from what a row says now: the mark in the table goes
when the cause goes; the message comes once for each cause and attempt, also over restarts of the dashboard.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from wbtui.store.summary import RunSummary
from wbtui.tui.lines import LIVING

NO_IMPROVEMENT_SHARE = 1 / 3
"""Share of the whole schedule without a new best All of its stage on validation (which selects weights) from which a
run at work is said not to improve. A third, because weight decay pauses that long and still gains at the end."""
NO_IMPROVEMENT_EPOCHS = 10
"""... and epochs, at least."""
LOUD_STATES = ("stalled", "crashed", "failed")
"""Those that are alerts by themselves."""
MARK = "⚠"
_TOLD_EACH = 3  # more at once share a message
_MOST_TOLD = 5_000  # of them, the newest are remembered
_LONGEST_NAME, _LONGEST_WORDS = 60, 200  # characters of a message


@dataclass(frozen=True)
class Alert:
    """Something that is wrong with a run, or looks so."""

    cause: str
    """non-finite loss, stalled, crashed, failed or no improvement."""
    words: str
    """How that is known."""


def alerts_of(row: RunSummary) -> tuple[Alert, ...]:
    """What is wrong with a run as it stands."""
    if row.unreadable:
        return ()
    found = []
    if row.non_finite_epoch is not None:
        found.append(Alert("non-finite loss", f"in epoch {row.non_finite_epoch}"))
    if row.state in LOUD_STATES:
        found.append(Alert(row.state, row.evidence))
    if row.state in LIVING and (still := _epochs_without_improvement(row)):
        best = f"best validation All in epoch {row.best_epoch}"
        found.append(Alert("no improvement", f"for {still} of {row.total_epochs} epochs, {best}"))
    return tuple(found)


def beside_state(row: RunSummary) -> str:
    """What is wrong with a run beyond its state, which is shown with its evidence anyway; empty: nothing."""
    found = [alert for alert in alerts_of(row) if alert.cause != row.state]
    return "".join(f"  {MARK} {alert.cause} {alert.words}" for alert in found)


def _epochs_without_improvement(row: RunSummary) -> int:
    """Epochs since the best one, where they are too many; 0 where they are not, or where nothing was validated."""
    if row.best_epoch is None or row.total_epochs <= 0:
        return 0
    still = row.epoch - row.best_epoch
    return still if still >= max(NO_IMPROVEMENT_SHARE * row.total_epochs, NO_IMPROVEMENT_EPOCHS) else 0


def key_of(row: RunSummary, alert: Alert) -> str:
    """By what it is remembered that this was told: a run that crashes again after it was resumed is told again."""
    return f"{alert.cause}:{row.attempt}:{row.id}"


def untold(rows: Iterable[RunSummary], told: Collection[str]) -> list[tuple[RunSummary, Alert]]:
    """What has not been told yet."""
    known = frozenset(told)
    return [(row, alert) for row in rows for alert in alerts_of(row) if key_of(row, alert) not in known]


def remembered(
    told: Sequence[str], fresh: Sequence[tuple[RunSummary, Alert]], there: Collection[str]
) -> tuple[str, ...]:
    """What has been told with this, without what was told of runs that are gone.

    Args:
        told: What was told before.
        fresh: What is being told.
        there: Ids of the runs that are there.
    """
    kept = [key for key in told if key.split(":", 2)[-1] in there]
    return tuple(dict.fromkeys([*kept, *(key_of(row, alert) for row, alert in fresh)]))[-_MOST_TOLD:]


def _cut(text: str, most: int) -> str:
    """The text with at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def messages(fresh: Sequence[tuple[RunSummary, Alert]], called: Callable[[RunSummary], str]) -> list[str]:
    """What is said: a line each, or one for all where they are many.

    Args:
        fresh: What is to be told.
        called: A run as people know it.
    """
    if len(fresh) <= _TOLD_EACH:
        return [
            f"{_cut(called(row), _LONGEST_NAME)}: {alert.cause} {_cut(alert.words, _LONGEST_WORDS)}"
            for row, alert in fresh
        ]
    counts = Counter(alert.cause for _, alert in fresh)
    return [", ".join(f"{count} {cause}" for cause, count in counts.items()) + f": {MARK} in the table"]
