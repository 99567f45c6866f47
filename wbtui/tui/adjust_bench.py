"""What does an adjustment make of one run: curves, choices, the figures at one strength? Numpy, no screen.

Little is computed twice: curves are kept by method, and where all logits would take longer than a frame a sample of
the images answers first.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from wbtui.adjustment import (
    CRITERIA,
    METHODS,
    AdditiveMultiplicative,
    Choice,
    Curve,
    Method,
    NegativeLogits,
    ScoredSet,
    choose_pair,
    choose_strength,
    evaluate,
    negative_logits,
    oracle_choice,
    published_choice,
    score,
    strength_curve,
)
from wbtui.errors import UsageError
from wbtui.metrics import AccuracySummary, Interval
from wbtui.report.adjusting import Material, load_material
from wbtui.report.class_axis import ClassAxis, class_axis
from wbtui.report.derived import TRAINING_COUNTS, Derived
from wbtui.report.figures import accuracy_figures
from wbtui.store.reader import Run

_SAMPLE_VALUES = 1_000_000
"""Logits of a sample: an exact curve over them takes 10 to 20 ms of one core, one over 50,000 x 1,000 about 150 ms."""

_SKETCHED = 16
"""Strengths of a method without an exact curve at which a sample is scored."""


@dataclass(frozen=True)
class MethodKey:
    """A method and, of the pair, its multiplicative strength."""

    name: str
    gamma: float = 0.0

    def method(self) -> Method:
        """The method."""
        found = METHODS[self.name]
        return replace(found, gamma=self.gamma) if isinstance(found, AdditiveMultiplicative) else found


@dataclass(frozen=True, eq=False)
class Survey:
    """One method on one run, at every strength."""

    method: Method
    criterion: str
    test: Curve
    validation: Curve | None
    choice: Choice | None
    """On validation; the published strength of a run without; None where nothing has been chosen yet."""
    oracle: Choice | None
    """Best on test: never a result."""
    warning: NegativeLogits | None
    sampled: bool
    """Whether only a sample of the test images stands behind it."""

    @property
    def images(self) -> int:
        """Test images behind it."""
        return int(self.test.total.sum())


@dataclass(frozen=True, eq=False)
class Exact:
    """One setting on all test images: what takes longer than a frame."""

    strength: float
    accuracy: AccuracySummary
    interval: Interval
    """95 % bootstrap interval of All over the test images."""
    calibration_error: float
    """A fraction; NaN where scores are no logits."""


@dataclass(frozen=True, eq=False)
class Bench:
    """The predictions of a run, laid out to be adjusted."""

    run_id: str
    material: Material
    before: AccuracySummary
    """Test without adjustment."""

    @classmethod
    def of(cls, run: Run) -> "Bench":
        """Read the predictions.

        Raises:
            UsageError: there are none, they are broken, or they hold what is no number.
        """
        material = load_material(run)
        before = score(material.test, material.groups, METHODS["none"], 0.0).accuracy
        return cls(run.id, material, before)

    @property
    def large(self) -> bool:
        """Whether a curve over all images takes longer than a frame or two."""
        return self.material.test.logits.size > 2 * _SAMPLE_VALUES

    @property
    def validation_images(self) -> int:
        """Images that a strength can be chosen on."""
        return 0 if self.material.validation is None else self.material.validation.n_images

    @cached_property
    def class_axis(self) -> ClassAxis:
        """How the classes stand in pictures."""
        test = self.material.test
        return class_axis(test.n_classes, test.train_counts, self.material.meta.class_names)

    def survey(self, key: MethodKey, criterion: str) -> Survey:
        """The curves of a method and the strengths that they speak for.

        Raises:
            UsageError: the method cannot be used on this run.
        """
        method, groups = key.method(), self.material.groups
        test, validation = self.material.test, self.material.validation
        test_curve = strength_curve(test, groups, method)
        curve = None if validation is None else strength_curve(validation, groups, method)
        warning = negative_logits(test, method)
        return self.choosing(
            Survey(method, criterion, test_curve, curve, None, None, warning, sampled=False), criterion
        )

    def choosing(self, survey: Survey, criterion: str) -> Survey:
        """The same curves, the strengths chosen by another criterion.

        Raises:
            UsageError: no validation image belongs to the classes that it looks at.
        """
        choice = published_choice(survey.method, self.material.test.n_classes)
        if survey.validation is not None:
            choice = choose_strength(survey.validation, CRITERIA[criterion])
        oracle = oracle_choice(survey.test, CRITERIA[criterion])
        return replace(survey, criterion=criterion, choice=choice, oracle=oracle)

    def sketch(self, key: MethodKey, criterion: str) -> Survey:
        """The test curve over a sample of the images, on which nothing is chosen.

        Raises:
            UsageError: the method cannot be used on this run.
        """
        method = key.method()
        grid = np.linspace(0.0, method.highest_strength, _SKETCHED) if method.highest_strength else None
        curve = strength_curve(sample(self.material.test), self.material.groups, method, grid=grid)
        return Survey(method, criterion, curve, None, None, None, None, sampled=True)

    def is_exact(self, key: MethodKey) -> bool:
        """Whether a curve is one pass over the logits, not one for each strength."""
        try:
            family = key.method().family(self.material.test, None)
        except UsageError:
            return False
        return family is not None and family.exact

    def pair(self, criterion: str) -> tuple[MethodKey, Choice]:
        """The additive and multiplicative strengths chosen together on validation.

        Raises:
            UsageError: there are no validation images.
        """
        if self.material.validation is None:
            raise UsageError(f"{self.run_id}: no validation images to choose on")
        method, choice = choose_pair(self.material.validation, self.material.groups, CRITERIA[criterion])
        return MethodKey(method.name, method.gamma), choice

    def exact(self, key: MethodKey, strength: float) -> Exact:
        """The figures of one setting over all test images, with interval and calibration.

        Raises:
            UsageError: the method cannot be used on this run.
        """
        found = evaluate(self.material.test, self.material.groups, key.method(), strength)
        return Exact(strength, found.score.accuracy, found.interval, found.calibration_error)

    def derived(self, key: MethodKey, strength: float, basis: str, criterion: str) -> Derived:
        """A setting, to be kept under its run; its figures are over all images.

        Raises:
            UsageError: the method cannot be used on this run.
        """
        method = key.method()
        figures: dict[str, float] = {}
        for scored in (self.material.test, self.material.validation):
            if scored is not None:
                accuracy = score(scored, self.material.groups, method, strength).accuracy
                figures |= accuracy_figures(scored.split, accuracy)
        return Derived(
            method=method.name,
            strength=strength,
            basis=basis,
            criterion=criterion if basis in ("validation", "oracle") else "",
            prior=TRAINING_COUNTS,
            figures=figures,
            fingerprint=self.material.meta.fingerprint,
            parameters=method.parameters,
        )


def sample(scored: ScoredSet) -> ScoredSet:
    """The same with fewer images: of each class evenly every n-th, at least one; itself where it is small enough."""
    most = max(_SAMPLE_VALUES // scored.n_classes, scored.n_classes)
    if scored.n_images <= most:
        return scored
    by_class = np.argsort(scored.labels, kind="stable")
    totals = scored.images_by_class()
    starts = np.repeat(np.cumsum(totals) - totals, totals)
    place = np.arange(scored.n_images) - starts  # of an image within its class
    every = -(-scored.n_images // most)
    rows: npt.NDArray[np.int64] = np.sort(by_class[place % every == 0])
    return replace(scored, logits=scored.logits[rows], labels=scored.labels[rows])
