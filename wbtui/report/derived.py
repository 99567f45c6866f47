"""How is an adjustment of a finished run kept under it, and is it still of the predictions it was made from?"""

import math
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from wbtui.adjustment import label_of
from wbtui.errors import UsageError
from wbtui.report.figures import GROUP_TITLES
from wbtui.report.values import percent
from wbtui.store import atomic, jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.format import DERIVED, FORMAT_VERSION, METRIC_NAME
from wbtui.store.reader import Run
from wbtui.store.text import plain

BASES = ("validation", "published", "given", "oracle")
"""What speaks for a strength: chosen on validation, the papers', typed by a person, or (not a result) best on test."""

TRAINING_COUNTS = "training counts"
"""The class frequencies that nothing need be said about."""

_GIVEN_COUNTS = "given counts"

_CHOSEN_ON = {
    "validation": "validation, for {}",
    "published": "published",
    "given": "given by hand",
    "oracle": "test: an oracle",
}
_MAX_WORD = 200
_LARGEST = 1_000.0  # strength or parameter


@dataclass(frozen=True)
class Derived:
    """One saved adjustment; derived/NAME.json."""

    method: str
    """Name of an adjustment method."""

    strength: float

    basis: str
    """One of BASES."""

    criterion: str
    """What was maximised; empty where nothing was chosen."""

    prior: str
    """Where the class frequencies come from."""

    figures: Mapping[str, float]
    """Metric name → value: accuracies of test and, where there is one, of validation at this strength."""

    fingerprint: str
    """Of the predictions that it was computed from."""

    parameters: Mapping[str, float] = field(default_factory=dict)
    """Further parameters of the method by name, such as gamma."""

    probability: tuple[float, ...] = ()
    """Class frequencies p_k, (C,), where they are not the training counts'."""

    made: float = 0.0
    """Unix seconds."""

    stale: bool = False
    """Whether the predictions have changed since: the figures are of others. Not stored, found when read."""

    @property
    def name(self) -> str:
        """Its file name without .json."""
        return self._called(self.method)

    @property
    def title(self) -> str:
        """The same with the method's label, for lists and tables."""
        return self._called(label_of(self.method))

    def _called(self, method: str) -> str:
        words = [
            method,
            f"{self.strength:.6g}",
            *(f"{k}{v:.6g}" for k, v in sorted(self.parameters.items())),
            *([f"prior_{self._prior_word()}"] if self.prior != TRAINING_COUNTS else []),
        ]
        return "-".join([*words, "oracle"] if self.basis == "oracle" else words)

    def _prior_word(self) -> str:
        """What tells its class frequencies from others at the same strength: of given ones there are many."""
        word = self.prior.split()[0]
        if self.prior != _GIVEN_COUNTS:
            return word
        return f"{word}_{zlib.crc32(np.array(self.probability).tobytes()):08x}"


def save_derived(run: Run, derived: Derived) -> Path:
    """Write an adjustment under its run; the same one again is replaced.

    Raises:
        StoreWriteError: the run folder cannot be written.
        UsageError: it is not there any more; or an adjustment with other class frequencies has this name, and would be
            lost.
    """
    if not run.path.is_dir():
        raise UsageError(f"{plain(str(run.path))}: this run is not there any more; nothing was saved")
    folder = run.path / DERIVED
    atomic.make_folder(folder)
    before = _read(run.derived().get(derived.name, {}), derived.fingerprint)
    if before and not before.stale and before.probability != derived.probability:
        raise UsageError(
            f"{plain(str(folder / derived.name))}.json holds this adjustment with other class frequencies and would be "
            "lost; remove it first, or take another strength"
        )
    fields = {key: value for key, value in vars(derived).items() if key != "stale"}
    value = {"version": FORMAT_VERSION, **fields, "made": derived.made or time.time()}
    path = folder / f"{derived.name}.json"
    atomic.write_json(path, value)
    return path


def load_derived(run: Run) -> list[Derived]:
    """The saved adjustments of a run, each marked if its predictions have changed; others' files are passed over."""
    try:
        fingerprint = run.predictions_meta().fingerprint
    except StoreReadError:
        fingerprint = ""
    try:
        saved = run.derived()
    except StoreReadError:
        return []
    found = (_read(value, fingerprint) for value in saved.values())
    return [one for one in found if one is not None]


def damaged_derived(run: Run) -> list[str]:
    """What is said of each file under derived/ that is no saved adjustment; it is in the way of none that is."""
    try:
        saved, names = run.derived(), run.derived_names()
    except StoreReadError as error:
        return [plain(str(error))]
    unread = [name for name in names if name not in saved or _read(saved[name], "") is None]
    return [
        plain(f"{DERIVED}/{name}.json: not a saved adjustment; saving one of that name anew replaces it")
        for name in unread
    ]


def _read(value: Mapping[str, Any], fingerprint: str) -> Derived | None:
    words = {key: value.get(key) for key in ("method", "basis", "criterion", "prior", "fingerprint")}
    strength, made = jsonio.number(value.get("strength")), jsonio.number(value.get("made", 0.0))
    if not all(isinstance(word, str) and len(word) <= _MAX_WORD for word in words.values()):
        return None
    parameters = jsonio.numbers(value.get("parameters"))
    if made is None or words["basis"] not in BASES:
        return None
    if strength is None or not all(abs(number) <= _LARGEST for number in (strength, *parameters.values())):
        return None  # NaN fails this too
    probability = value.get("probability", [])
    if not isinstance(probability, list) or not all(_is_share(share) for share in probability):
        return None
    figures = jsonio.numbers(value.get("figures"))
    return Derived(
        method=str(words["method"]),
        strength=strength,
        basis=str(words["basis"]),
        criterion=str(words["criterion"]),
        prior=str(words["prior"]),
        figures={name: figure for name, figure in figures.items() if METRIC_NAME.fullmatch(name)},
        fingerprint=str(words["fingerprint"]),
        parameters=parameters,
        probability=tuple(probability),
        made=made,
        stale=not fingerprint or fingerprint != words["fingerprint"],
    )


def _is_share(value: object) -> bool:
    return isinstance(value, float) and 0.0 < value <= 1.0


def describe(derived: Derived, titles: Mapping[str, str] = GROUP_TITLES) -> str:
    """One line: method, strength, what speaks for it, test accuracy in percent.

    Args:
        derived: The saved adjustment.
        titles: What All and the groups are called.
    """
    accuracy = ", ".join(
        f"{title} {percent(derived.figures.get(f'test.accuracy.{group}'))}" for group, title in titles.items()
    )
    stale = "; STALE: the predictions have changed since" if derived.stale else ""
    more = parameters_text(derived)
    return plain(
        f"{label_of(derived.method)} {derived.strength:.4g}{more} ({basis_text(derived)}): {accuracy}{stale}"
    )


def basis_text(derived: Derived) -> str:
    """What speaks for its strength."""
    return {
        "validation": f"chosen on validation by {derived.criterion}",
        "published": "the published strength",
        "given": "given by hand",
        "oracle": "oracle: the best on test, not a result",
    }[derived.basis]


def adjustment_facts(saved: Sequence[Derived]) -> dict[str, str]:
    """Method, strength of each, what it was chosen on, and class frequencies, of one adjustment of several runs."""
    parameters = dict.fromkeys(key for one in saved for key in sorted(one.parameters))
    facts = {
        "method": dict.fromkeys(label_of(one.method) for one in saved),
        "strength": [f"{one.strength:.4g}" for one in saved],
        **{key: [f"{one.parameters.get(key, math.nan):.4g}" for one in saved] for key in parameters},
        "chosen_on": dict.fromkeys(_CHOSEN_ON[one.basis].format(one.criterion) for one in saved),
        "prior": dict.fromkeys(one.prior for one in saved),
    }
    return {key: plain(", ".join(values)) for key, values in facts.items()}


def parameters_text(derived: Derived) -> str:
    """What it rests on beside its strength, each after a comma; empty where that need not be said."""
    more = "".join(f", {key} {value:g}" for key, value in sorted(derived.parameters.items()))
    return more + (f", class frequencies: {derived.prior}" if derived.prior != TRAINING_COUNTS else "")
