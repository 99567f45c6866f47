"""How far apart are two settings, and is that more than chance?"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from wbtui.metrics import RESAMPLES, Interval, bootstrap_difference, welch_interval
from wbtui.report.entries import Entry, Predicted

LEVEL = 0.95

Rule = Literal["welch", "bootstrap", "none"]


@dataclass(frozen=True)
class Difference:
    """A metric of one setting minus that of the baseline."""

    value: float
    low: float
    high: float
    rule: Rule
    """welch: over seeds; bootstrap: over test images, of two single runs; none: no interval can be given."""

    @property
    def significant(self) -> bool | None:
        """Whether the interval leaves 0 out; None without an interval."""
        if math.isnan(self.low):
            return None
        return not self.low <= 0.0 <= self.high


def difference(baseline: Entry, other: Entry, metric: str) -> Difference | None:
    """The difference of means, with Welch's interval over seeds, or of single runs the bootstrap over images.

    None where one of them has no such figure.
    """
    a, b = baseline.values(metric), other.values(metric)
    if not a.size or not b.size:
        return None
    if min(a.size, b.size) >= 2:
        interval = welch_interval(a, b, LEVEL)
        return Difference(interval.estimate, interval.low, interval.high, "welch")
    value = float(b.mean() - a.mean())
    if a.size == b.size == 1:
        resampled = _bootstrap(baseline, other, metric)
        if resampled is not None:
            return Difference(value, resampled.low, resampled.high, "bootstrap")
    return Difference(value, math.nan, math.nan, "none")


def _bootstrap(baseline: Entry, other: Entry, metric: str) -> Interval | None:
    """The paired bootstrap of test accuracy; None for other metrics, other images or without predictions."""
    split, _, rest = metric.partition(".")
    family, _, group = rest.partition(".")
    a, b = baseline.members[0].predicted, other.members[0].predicted
    if (split, family) != ("test", "accuracy") or a is None or b is None or not same_images(a, b):
        return None
    kept = np.ones(a.labels.shape, dtype=np.bool_)
    if group != "all":
        if not np.array_equal(a.groups.membership, b.groups.membership):
            return None
        kept = np.isin(a.labels, [k for k in range(a.groups.n_classes) if a.groups.name_of(k) == group])
    if not kept.any():
        return None
    return bootstrap_difference(
        a.labels[kept], a.predictions[kept], b.predictions[kept], a.groups.n_classes, level=LEVEL
    )


def same_images(a: Predicted, b: Predicted) -> bool:
    """Whether the true classes of the test images agree, image by image."""
    return a.groups.n_classes == b.groups.n_classes and np.array_equal(a.labels, b.labels)


def rule_in_words(rules: set[Rule], images: int) -> list[str]:
    """What "n.s." means here, for each rule that was used."""
    words: dict[Rule, str] = {
        "welch": "n.s.: Welch's 95 % interval of the difference of means over seeds holds 0",
        "bootstrap": "n.s.: the 95 % interval of the difference holds 0, paired bootstrap over "
        f"{images:,} test images, {RESAMPLES:,} resamples within classes; "
        "of two single runs, so it says nothing about other seeds",
        "none": "a difference without n.s. or *: no interval can be given (one seed on a side)",
    }
    said = [words[rule] for rule in ("welch", "bootstrap") if rule in rules]
    said += ["*: that interval leaves 0 out"] if said else []
    return said + ([words["none"]] if "none" in rules else [])
