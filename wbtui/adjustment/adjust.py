"""What does an adjustment of a finished run come to?

The strength is chosen on validation, test is reported once, and the best strength on test is an "oracle".
"""

from dataclasses import dataclass

from wbtui.adjustment.choose import Choice, choose_strength, oracle_choice, published_choice
from wbtui.adjustment.criteria import Criterion
from wbtui.adjustment.curve import Curve, strength_curve
from wbtui.adjustment.evaluate import Evaluation, evaluate
from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.negative import NegativeLogits, negative_logits
from wbtui.adjustment.prior import ClassPrior
from wbtui.adjustment.scored import ScoredSet
from wbtui.errors import UsageError
from wbtui.metrics import Groups


@dataclass(frozen=True, eq=False)
class Adjustment:
    """One method on one run, from choice to report."""

    choice: Choice
    """On validation, or the published strength of a run without: never on test."""

    test: Evaluation
    """Test at the chosen strength."""

    oracle: Choice | None
    """The best strength on test: an upper bound, not a result. None where the criterion admits none on test."""

    validation_curve: Curve | None
    test_curve: Curve
    """Marked by its `oracle`."""

    warning: NegativeLogits | None
    """Negative test logits in the way of a multiplying method."""


def adjust(
    test: ScoredSet,
    validation: ScoredSet | None,
    groups: Groups,
    method: Method,
    criterion: Criterion | None = None,
    prior: ClassPrior | None = None,
    *,
    seed: int = 0,
) -> Adjustment:
    """Choose the strength of `method` on validation and report test there.

    Args:
        test: the test split.
        validation: the validation split; None or without images: nothing is chosen and the published strength taken.
        groups: from the training counts.
        method: any of `METHODS`.
        criterion: what to maximise; None means All.
        prior: class frequencies; None means the training counts.
        seed: of the bootstraps.

    Raises:
        UsageError: the splits stand in each other's place, or as `choose_strength` and the method.
    """
    if test.split != "test" or (validation is not None and validation.split != "validation"):
        raise UsageError("expected test predictions to report on and validation predictions to choose on")
    validation_curve = None
    choice = published_choice(method, test.n_classes)
    if validation is not None and validation.n_images:
        validation_curve = strength_curve(validation, groups, method, prior)
        choice = choose_strength(validation_curve, criterion, seed=seed)
    test_curve = strength_curve(test, groups, method, prior)
    return Adjustment(
        choice=choice,
        test=evaluate(test, groups, method, choice.strength, prior, seed=seed),
        oracle=oracle_choice(test_curve, criterion, seed=seed),
        validation_curve=validation_curve,
        test_curve=test_curve,
        warning=negative_logits(test, method, prior),
    )
