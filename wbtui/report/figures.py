"""What did a run come to? Its final figures, and what it measured last where it has none yet."""

from collections.abc import Mapping
from dataclasses import dataclass

from wbtui.metrics import AccuracySummary
from wbtui.store.errors import StoreReadError
from wbtui.store.format import Result
from wbtui.store.reader import Run

GROUP_TITLES = {"all": "All", "many": "Many", "medium": "Medium", "few": "Few"}
"""Key in files and JSON → the word for people, in whatever a command prints or anything writes: the papers' words."""

SCREEN_TITLES = {"all": "All", "many": "Head", "medium": "Med", "few": "Tail"}
"""The same on the screens of the dashboard alone, where cells are few."""

GROUPS = tuple(GROUP_TITLES)
"""Keys of All and the groups."""

SPLITS = ("train", "validation", "test")

SPLITS_SHOWN = ("test", "validation", "train", "running")
"""Prefixes of metrics in the order in which splits are looked for and offered; running: the training pass itself."""


@dataclass(frozen=True)
class Figures:
    """Values by metric name, and of which weights they are."""

    values: Mapping[str, float]

    final: bool
    """Whether the run ended and these are of the weights that its predictions come from."""

    epoch: int
    """The epoch after which these weights stood; of a run at work, its last epoch."""

    weights: str
    """last, best_validation, or empty where nothing says so."""

    def accuracy(self, split: str, group: str = "all") -> float | None:
        """An accuracy, a fraction; None where it was not measured."""
        return self.values.get(f"{split}.accuracy.{group}")


def figures_of(run: Run) -> Figures:
    """The figures of a run; a metric that the final figures leave out is that of the same weights' epoch."""
    weights, epoch = _weights(run)
    end = run.history.end
    result = result_of(run)
    final = (result.final if result else None) or (end.final if end else None) or {}
    of_weights = run.history.epochs.get(epoch)
    # Never by walking through the epochs: of a run at work this is asked twice a second.
    measured = (of_weights.scalars if of_weights else {}) if final else run.history.tally.last
    return Figures({**measured, **final}, bool(final), epoch or run.history.last_epoch, weights)


def result_of(run: Run) -> Result | None:
    """result.json of a run; None where there is none, or where it is damaged: the events know most of it too."""
    try:
        return run.result
    except StoreReadError:
        return None


def _weights(run: Run) -> tuple[str, int]:
    try:
        meta = run.predictions_meta()
    except StoreReadError:
        return "", run.history.last_epoch
    return meta.weights, meta.epoch


def has_split(values: Mapping[str, float], split: str) -> bool:
    """Whether anything of a split was measured."""
    return any(name.startswith(f"{split}.") for name in values)


def accuracy_figures(split: str, accuracy: AccuracySummary) -> dict[str, float]:
    """All and the groups under the names of their metrics, fractions."""
    return {f"{split}.accuracy.{group}": float(getattr(accuracy, group)) for group in GROUPS}
