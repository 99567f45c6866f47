"""How far apart are two settings, and is that more than chance?

Results of *the same runs*, adjusted and not, are paired: what a run owes to its seed is in both of its figures
and cancels in their difference. Two variants with the same seed numbers are not: they share split and order of the
data and are different trainings. Pairing those is allowed (Bouthillier et al., MLSys 2021, advise to share such
sources of variation) but pays only where it makes their figures go together, which three seeds cannot show, and it
halves the degrees of freedom (n - 1 for about 2n - 2: t 4.3 for 2.8 at n = 3). Welch's interval needs no
such belief; where shared seeds do make figures go together it is too wide, never too narrow.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.metrics import RESAMPLES, Interval, bootstrap_difference, paired_interval, welch_interval
from wbtui.report.entries import Entry, Predicted, of_logits
from wbtui.report.values import ROUNDING

LEVEL = 0.95

Rule = Literal["paired", "welch", "bootstrap", "identical", "none"]
Verdict = Literal["significant", "not significant", "identical", "no interval"]

MARKS: dict[Verdict, str] = {
    "significant": " *",
    "not significant": " n.s.",
    "identical": "",
    "no interval": " ?",
}
"""What stands behind a difference."""


@dataclass(frozen=True)
class Difference:
    """A metric of one setting minus that of the baseline."""

    value: float
    low: float
    high: float
    rule: Rule
    """paired: t over the runs that both sides are results of; welch: over seeds; bootstrap: over test images, of single
    runs; identical: the same figure of the same runs, which adjusting logits leaves alone; none: no interval can
    be given."""

    @property
    def verdict(self) -> Verdict:
        """What its interval says."""
        if self.rule == "identical":
            return "identical"
        if math.isnan(self.low):
            return "no interval"
        return "not significant" if self.low <= 0.0 <= self.high else "significant"

    @property
    def significant(self) -> bool | None:
        """Whether the interval leaves 0 out; None without an interval, and where there is nothing to tell apart."""
        return {"significant": True, "not significant": False}.get(self.verdict)


def difference(baseline: Entry, other: Entry, metric: str) -> Difference | None:
    """The difference of means with its interval, by the first rule that can be used.

    Of the same runs: what adjusting logits leaves alone needs none, several runs are paired, of a single one it is the
    bootstrap over test images. Of different trainings: Welch's over seeds, of single runs the bootstrap.

    None where one of them has no such figure.
    """
    a, b = baseline.values(metric), other.values(metric)
    if not a.size or not b.size:
        return None
    value = float(b.mean() - a.mean())
    pairs = paired_values(baseline, other, metric)
    if pairs is not None and not of_logits(metric) and np.array_equal(*pairs):
        return Difference(0.0, 0.0, 0.0, "identical")
    if min(a.size, b.size) >= 2 and math.isfinite(value):
        interval = interval_over_seeds(a, b) if pairs is None else interval_over_seeds(*pairs, paired=True)
        if interval is not None:
            rule: Rule = "welch" if pairs is None else "paired"
            return Difference(interval.estimate, interval.low, interval.high, rule)
    elif a.size == b.size == 1:
        resampled = _bootstrap(baseline, other, metric)
        if resampled is not None:
            return Difference(value, resampled.low, resampled.high, "bootstrap")
    return Difference(value, math.nan, math.nan, "none")


def paired_values(
    baseline: Entry, other: Entry, metric: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """The metric of both, (n,) and (n,), run by run; None where these figures are not of the same runs."""
    a, b = baseline.by_run(metric), other.by_run(metric)
    if a.keys() != b.keys():
        return None
    return np.array([a[run] for run in a]), np.array([b[run] for run in a])


def interval_over_seeds(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], *, paired: bool = False
) -> Interval | None:
    """The interval of mean(b) - mean(a) over two seeds or more on each side.

    Args:
        a: (n,) one figure a seed, of the baseline.
        b: (m,) of the other.
        paired: whether they are of the same runs, in the same order.

    Returns:
        None where nothing varies from seed to seed and the means differ: accuracies come in steps of an image, two or
        three alike are chance, and a spread of 0 would make any difference significant.
    """
    interval = paired_interval(a, b, LEVEL) if paired else welch_interval(a, b, LEVEL)
    scale = max(float(np.abs(a).max()), float(np.abs(b).max()))
    varies = interval.high - interval.low > ROUNDING * scale
    differs = abs(interval.estimate) > ROUNDING * scale
    return interval if varies or not differs else None


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
    """What the marks mean here, for each rule that was used."""
    words: dict[Rule, str] = {
        "paired": "n.s. between results of the same runs: the 95 % interval of the difference holds 0, paired t over "
        "the runs",
        "welch": "n.s. between different trainings: Welch's 95 % interval of the difference of means over seeds "
        "holds 0",
        "bootstrap": "n.s. between single runs: the 95 % interval of the difference holds 0, paired bootstrap over "
        f"{images:,} test images, {RESAMPLES:,} resamples within classes; it says nothing about other seeds",
        "none": "?: cannot be told from seed noise, no interval can be given: one seed on a side, or no spread "
        "between seeds",
    }
    said = [words[rule] for rule in ("paired", "welch", "bootstrap") if rule in rules]
    said += ["*: that interval leaves 0 out"] if said else []
    return said + ([words["none"]] if "none" in rules else [])
