"""Which settings stand side by side, and what does a key make of one? Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wbtui.adjustment import CRITERIA, DEFAULT_METHOD, METHODS, AdditiveMultiplicative
from wbtui.metrics import AccuracySummary
from wbtui.tui.adjust_bench import Exact, MethodKey

STEP = 0.05
FINE = 0.01
LEAP = 0.5
HIGHEST_GAMMA = 2.0
MOST_TRIALS = 12


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


@dataclass(frozen=True)
class Outcome:
    """What a setting came to, as far as it is known."""

    accuracy: AccuracySummary
    before: AccuracySummary
    exact: bool
    """Whether all test images stand behind it, at this very strength."""
    rest: Exact | None = None
    """With interval and calibration, once the strength rests."""


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
