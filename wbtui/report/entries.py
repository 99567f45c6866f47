"""What stands beside what in a comparison: runs folded over seeds, or saved adjustments of runs?"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from wbtui.adjustment import AdditiveMultiplicative, Method, given_prior, label_of, method_named
from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.metrics import Groups
from wbtui.report.adjusting import load_material
from wbtui.report.chosen import pointed_at
from wbtui.report.derived import TRAINING_COUNTS, Derived, damaged_derived, load_derived
from wbtui.report.figures import Figures, figures_of
from wbtui.report.seeds import Candidate, candidate, one_a_seed, sentences
from wbtui.report.settings import Setting, fold_configured
from wbtui.store.ids import resolve_run, short_ids
from wbtui.store.reader import Run, open_run
from wbtui.store.setting import configuration
from wbtui.store.text import plain

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Which classes a run predicts on its test images."""

    labels: Ints
    """(N,) true classes."""

    predictions: Ints
    """(N,) predicted classes."""

    groups: Groups
    class_names: tuple[str, ...]
    """(C,) empty where classes have no names."""


@dataclass(frozen=True, eq=False)
class Member:
    """One run, as it is or adjusted."""

    run: Run
    derived: Derived | None
    figures: Figures
    provenance: Mapping[str, Any]
    predicted: Predicted | None
    """None where there are no predictions that can be used."""
    configuration: Mapping[str, Any]
    """By dotted key, defaults filled in."""
    candidate: Candidate
    why_not: str = ""
    """Why there are none; empty where there are."""


@dataclass(frozen=True, eq=False)
class Entry:
    """One column of a comparison: seeds of one setting, adjusted alike."""

    label: str
    setting: Setting
    members: tuple[Member, ...]
    """One a seed: see `seeds.one_a_seed`."""
    others: tuple[Member, ...] = ()
    """Those that do not count: a seed that was run again, runs that have not finished beside some that have."""
    said: tuple[str, ...] = ()
    """What a reader must know of them."""

    @property
    def every_member(self) -> tuple[Member, ...]:
        """Those that count and those that do not."""
        return (*self.members, *self.others)

    @property
    def n(self) -> int:
        """Seeds: every member is of a run of its own."""
        return len(self.members)

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """A metric of each seed that has it, (n,)."""
        return np.array(list(self.by_run(metric).values()), dtype=np.float64)

    def by_run(self, metric: str) -> dict[Path, float]:
        """The same by run folder."""
        found = {one.run.path: one.figures.values.get(metric, math.nan) for one in self.members}
        return {run: value for run, value in found.items() if not math.isnan(value)}


def entries(runs: Path, names: Sequence[str]) -> list[Entry]:
    """What a person named, folded over seeds.

    Args:
        runs: the folder of runs.
        names: RUN, or RUN:NAME for a saved adjustment of a run, NAME or its beginning as under derived/.

    Raises:
        UsageError: a run or an adjustment is not there or means several, or cannot be read.
    """
    return folded([_named(runs, name) for name in names])


def filtered_entries(runs: Path, filter_text: str, baseline: str) -> tuple[list[Entry], list[str]]:
    """What a filter lets through of the finished runs, folded over seeds, and a sentence on each unfinished one.

    Args:
        runs: the folder of runs.
        filter_text: see `filters`.
        baseline: what stands first, as a name of `entries`; empty: the oldest run.

    Raises:
        UsageError: as for `entries`, or no run is left.
    """
    first = [_named(runs, baseline)] if baseline else []
    found, left_out = pointed_at(runs, [], filter_text)
    return folded([*first, *map(member, found)]), left_out


def folded(members: Sequence[Member]) -> list[Entry]:
    """Put seeds of one setting, adjusted by one method on one basis, together; each seed counts once.

    A run, or an adjustment of it, that is given twice is one. No file is read: runs may have been taken away by now.
    """
    found: list[Entry] = []
    members = list({(one.run.path, one.derived and one.derived.name): one for one in members}.values())
    by_path = {one.run.path: one for one in members}
    short = short_ids(one.run.id for one in by_path.values())
    for setting in fold_configured((one.run, one.configuration) for one in by_path.values()):
        paths = {run.path for run in setting.runs}
        for key, alike, apart in _adjusted_alike([one for one in members if one.run.path in paths], short):
            counted = one_a_seed(alike, lambda one: one.candidate)
            label = f"{setting.label} + {key}" if key else setting.label
            said = (*sentences(setting.label, counted, short), *(f"{setting.label} + {one}" for one in apart))
            found.append(Entry(label, setting, counted.runs, counted.others, said))
    order = {id(one): index for index, one in enumerate(members)}
    return sorted(found, key=lambda entry: min(order[id(one)] for one in entry.every_member))


def _adjusted_alike(
    members: Sequence[Member], short: Mapping[str, str]
) -> Iterator[tuple[str, list[Member], tuple[str, ...]]]:
    """Members of one setting by their adjustment; two adjustments of one run are never seeds of each other.

    Returns:
        What each adjustment is called, its members, each of a run of its own, and what a reader must know.
    """
    for key, alike in _by(members, _adjustment).items():
        twice = [own for own in _by(alike, lambda one: one.run.id).values() if len(own) > 1]
        if not twice:
            yield key, alike, ()
            continue
        named = "; ".join(
            f"{plain(short[own[0].run.id])}: {', '.join(_itself(one) for one in own)}" for own in twice
        )
        said = f"{key}: results of one run are no seeds ({named}); each stands in a column of its own"
        for label, same in _by(alike, lambda one: _adjustment(one, always_strength=True)).items():
            if len({one.run.path for one in same}) == len(same):
                yield label, same, (said,)
            else:  # strengths alike in what is shown of them
                yield from ((plain(name), own, (said,)) for name, own in _by(same, _itself).items())


def _by(members: Sequence[Member], key: Callable[[Member], str]) -> dict[str, list[Member]]:
    found: dict[str, list[Member]] = {}
    for one in members:
        found.setdefault(key(one), []).append(one)
    return found


def _itself(member: Member) -> str:
    """What its adjustment is called, as no other of its run is."""
    return plain(member.derived.title) if member.derived is not None else ""


def _adjustment(member: Member, *, always_strength: bool = False) -> str:
    """What tells adjustments of one setting apart: how the strength was found, and itself where that is no choice."""
    derived = member.derived
    if derived is None:
        return ""
    fixed = always_strength or derived.basis in ("given", "published")
    strength = f" {derived.strength:.4g}" if fixed else ""
    if fixed:
        strength += "".join(f", {name} {value:.4g}" for name, value in sorted(derived.parameters.items()))
    goal = f" for {derived.criterion}" if derived.criterion not in ("", "all") else ""
    prior = "" if derived.prior == TRAINING_COUNTS else f", prior: {derived.prior}"
    basis = f" ({derived.basis})" if derived.basis in ("published", "oracle") else ""
    return plain(f"{label_of(derived.method)}{strength}{goal}{prior}") + basis


def _named(runs: Path, name: str) -> Member:
    run_name, colon, derived_name = name.partition(":")
    run = open_run(resolve_run(runs, run_name))
    return member(run, _derived_named(run, derived_name) if colon else None)


def _derived_named(run: Run, name: str) -> Derived:
    saved = {one.name: one for one in load_derived(run)}
    matching = [key for key in saved if name in (key, saved[key].title)]
    matching = matching or [key for key in saved if key.startswith(name) or saved[key].title.startswith(name)]
    # A method's name means the one whose strength was chosen on validation.
    matching = [key for key in matching if saved[key].basis == "validation"] or matching
    if len(matching) != 1:
        what = "means several saved adjustments" if matching else "is no saved adjustment"
        there = ", ".join(plain(key) for key in matching or saved)
        expected = f"one of {there}" if there else "one that `wbtui adjust --save` made; there is none"
        said = [f"{plain(name)!r} {what}{nearest(name, saved)}; expected {expected}", *damaged_derived(run)]
        raise UsageError(f"{plain(run.id)}: {'; '.join(said)}")
    return saved[matching[0]]


def member(run: Run, derived: Derived | None = None) -> Member:
    """A run with its figures and predictions; of an adjusted one, those of the adjustment.

    Raises:
        UsageError: the run cannot be read, or the saved adjustment is of other predictions.
    """
    figures = figures_of(run)
    if derived is not None:
        if derived.stale:
            raise UsageError(
                f"{plain(run.id)}: {derived.name} is stale: the predictions have changed since it was saved; "
                "save it again with `wbtui adjust --save`"
            )
        kept = {name: value for name, value in figures.values.items() if not of_logits(name)}
        figures = replace(figures, values={**kept, **derived.figures})
    try:
        predicted, why_not = _predicted(run, derived), ""
    except UsageError as error:  # none yet, or of a net that diverged: the run still has figures to compare
        predicted, why_not = None, plain(str(error))
    decides = replace(candidate(run), measured=bool(figures.values))
    return Member(run, derived, figures, run.provenance, predicted, configuration(run), decides, why_not)


def of_logits(metric: str) -> bool:
    """Whether adjusting logits changes it; the geometry of features it leaves alone."""
    _, _, of_split = metric.partition(".")
    return of_split.startswith(("accuracy", "loss"))


def _predicted(run: Run, derived: Derived | None) -> Predicted:
    """The classes that a run, or an adjustment of it, predicts.

    Raises:
        UsageError: there are no predictions, they are no numbers, or the method cannot be used on them.
    """
    material = load_material(run)
    method: Method = method_named("none")
    strength, prior = 0.0, None
    if derived is not None:
        if derived.probability:
            prior = given_prior(derived.probability, material.test.n_classes)
        method, strength = method_named(derived.method), derived.strength
        if isinstance(method, AdditiveMultiplicative):
            method = AdditiveMultiplicative(gamma=derived.parameters.get("gamma", method.gamma))
    predictions = method.predict(material.test, prior, strength)
    return Predicted(material.test.labels, predictions, material.groups, material.meta.class_names)
