"""What does logit adjustment make of finished runs, alone and over seeds?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from wbtui.adjustment import (
    AdditiveMultiplicative,
    Choice,
    ClassPrior,
    Criterion,
    Curve,
    Evaluation,
    Method,
    NegativeLogits,
    ScoredSet,
    Split,
    choose_pair,
    choose_strength,
    evaluate,
    given_prior,
    method_named,
    negative_logits,
    oracle_choice,
    published_choice,
    score,
    strength_curve,
    validation_prior,
)
from wbtui.errors import UsageError
from wbtui.metrics import AccuracySummary, Groups, assign_groups
from wbtui.report.derived import TRAINING_COUNTS, Derived
from wbtui.report.figures import accuracy_figures
from wbtui.store.predictions import Classifier, PredictionsMeta
from wbtui.store.reader import Run
from wbtui.store.text import plain

Choose = Literal["val", "test", "published"]
Floats = npt.NDArray[np.float64]
_LARGEST_STRENGTH = 100.0
_MOST_STRENGTHS = 10_000


@dataclass(frozen=True, eq=False)
class Material:
    """What of a run can be adjusted."""

    run: Run
    groups: Groups
    test: ScoredSet
    validation: ScoredSet | None
    meta: PredictionsMeta


def load_material(run: Run) -> Material:
    """The stored predictions of a run.

    Raises:
        UsageError: it has none, they are broken, or none of test.
    """
    meta, classifier = run.predictions_meta(), run.classifier()
    if "test" not in meta.splits:
        raise UsageError(f"{plain(run.id)}: its predictions hold no test split; expected one to report on")
    data = run.run_config().data
    groups = assign_groups(classifier.train_counts, data.many_above, data.few_below)
    validation = _scored(run, classifier, "validation") if "validation" in meta.splits else None
    if validation is not None and not validation.n_images:
        validation = None
    return Material(run, groups, _scored(run, classifier, "test"), validation, meta)


def _scored(run: Run, classifier: Classifier, split: Split) -> ScoredSet:
    predictions = run.predictions(split)
    return ScoredSet(
        split=split,
        logits=predictions.logits,
        labels=predictions.labels,
        train_counts=classifier.train_counts,
        classifier_norms=_known(classifier.norms),
        bias=classifier.bias,
        class_mean_feature_norms=_known(classifier.class_mean_feature_norms),
    )


def _known(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32] | None:
    """None where nothing is known: imported predictions come without norms."""
    return None if np.isnan(values).all() else values


@dataclass(frozen=True, eq=False)
class Request:
    """How a strength is found."""

    method: Method
    criterion: Criterion
    choose: Choose = "val"
    strength: float | None = None
    """Given by hand; nothing is chosen then."""

    sweep: Floats | None = None
    """Strengths to show; its end is the end of the search."""

    prior: str = "training"
    """Class frequencies: "training" counts, estimated from "validation", or numbers apart by commas."""


@dataclass(frozen=True, eq=False)
class Adjusted:
    """One method on one run."""

    material: Material
    method: Method
    strength: float
    basis: str
    """See derived.BASES."""

    criterion: str
    choice: Choice | None
    """None for a strength given by hand."""

    before: Evaluation
    """Test without adjustment."""

    after: Evaluation
    """Test at the strength."""

    validation: AccuracySummary | None
    """Validation at the strength."""

    oracle: tuple[float, AccuracySummary] | None
    """Best strength on test and test there: an upper bound, not a result."""

    test_curve: Curve
    validation_curve: Curve | None
    warning: NegativeLogits | None
    prior: ClassPrior | None = None
    """None: the training counts."""

    @property
    def prior_source(self) -> str:
        """Where the class frequencies come from."""
        return TRAINING_COUNTS if self.prior is None else self.prior.source

    def derived(self) -> Derived:
        """What is kept of it under its run."""
        figures = accuracy_figures("test", self.after.score.accuracy)
        if self.validation is not None:
            figures |= accuracy_figures("validation", self.validation)
        return Derived(
            method=self.method.name,
            strength=self.strength,
            basis=self.basis,
            criterion=self.criterion,
            prior=self.prior_source,
            figures=figures,
            fingerprint=self.material.meta.fingerprint,
            parameters=self.method.parameters,
            probability=() if self.prior is None else tuple(self.prior.probability.tolist()),
        )


def adjust_all(
    materials: Sequence[Material], requests: Sequence[Request]
) -> tuple[list[Adjusted], tuple[str, ...]]:
    """Each run by each request, and why some cannot be: a sentence for each reason, with its runs if not all have it.

    Raises:
        UsageError: none can be.
    """
    results, refused = [], dict[str, list[str]]()
    for material in materials:
        for request in requests:
            try:
                results.append(adjust_run(material, request))
            except UsageError as error:
                refused.setdefault(str(error), []).append(plain(material.run.id))
    said = tuple(
        reason if len(ids) == len(materials) else f"{', '.join(ids)}: {reason}"
        for reason, ids in refused.items()
    )
    if not results:
        raise UsageError("\n".join(said))
    return results, said


def adjust_run(material: Material, request: Request) -> Adjusted:
    """Find the strength and report test there.

    Raises:
        UsageError: the method cannot be used on this run, or no strength satisfies the criterion.
    """
    prior = class_prior(material, request.prior)
    method, choice = _chosen(material, request, prior)
    strength = choice.strength if choice is not None else float(request.strength or 0.0)
    basis = choice.basis if choice is not None else "given"
    test_curve = _curve(material, material.test, request, method, strength, prior)
    validation_curve = None
    if material.validation is not None:
        validation_curve = _curve(material, material.validation, request, method, strength, prior)
    return Adjusted(
        material=material,
        method=method,
        strength=strength,
        basis=basis,
        criterion=choice.criterion if choice is not None else "",
        choice=choice,
        before=evaluate(material.test, material.groups, method_named("none"), 0.0),
        after=evaluate(material.test, material.groups, method, strength, prior),
        validation=_validation(material, method, strength, prior),
        oracle=_oracle(test_curve, request.criterion),
        test_curve=test_curve,
        validation_curve=validation_curve,
        warning=negative_logits(material.test, method, prior),
        prior=prior,
    )


def class_prior(material: Material, wanted: str) -> ClassPrior | None:
    """The class frequencies that `Request.prior` names; None: the training counts.

    Raises:
        UsageError: the run has no validation images to estimate them from, or not one positive number a class.
    """
    if wanted == "training":
        return None
    if wanted == "validation":
        if material.validation is None:
            raise UsageError(
                f"{plain(material.run.id)}: it has no validation images to estimate class frequencies from; "
                "use the training counts or give numbers"
            )
        return validation_prior(material.validation)
    try:
        numbers = [float(word) for word in wanted.split(",")]
    except ValueError:
        raise UsageError(
            f"--prior {plain(wanted)[:80]}: expected training, validation or a number a class, e.g. 500,300,5"
        ) from None
    return given_prior(np.array(numbers), material.test.n_classes)


def _chosen(material: Material, request: Request, prior: ClassPrior | None) -> tuple[Method, Choice | None]:
    method = request.method
    if request.strength is not None:
        return method, None
    source = material.test if request.choose == "test" else material.validation
    if request.choose == "published" or source is None:
        return method, published_choice(method, material.test.n_classes)
    if isinstance(method, AdditiveMultiplicative):
        highest = None if request.sweep is None else float(request.sweep[-1])
        return choose_pair(source, material.groups, request.criterion, prior, highest=highest)
    return method, choose_strength(_curve(material, source, request, method, 0.0, prior), request.criterion)


def _curve(
    material: Material,
    scored: ScoredSet,
    request: Request,
    method: Method,
    strength: float,
    prior: ClassPrior | None,
) -> Curve:
    """The curve over all strengths that are looked at; the sweep is also the grid of methods without an exact one."""
    if request.sweep is None:
        highest = max(method.highest_strength, strength)
        return strength_curve(scored, material.groups, method, prior, highest=highest)
    highest = max(float(request.sweep[-1]), strength)
    grid = np.unique(np.concatenate([[0.0], request.sweep, [highest]]))
    return strength_curve(scored, material.groups, method, prior, highest=highest, grid=grid)


def _validation(
    material: Material, method: Method, strength: float, prior: ClassPrior | None
) -> AccuracySummary | None:
    if material.validation is None:
        return None
    return score(material.validation, material.groups, method, strength, prior).accuracy


def _oracle(curve: Curve, criterion: Criterion) -> tuple[float, AccuracySummary] | None:
    choice = oracle_choice(curve, criterion)
    return None if choice is None else (choice.strength, curve.summary_at(choice.strength))


def accuracy_at(curve: Curve, strengths: Floats, group: str) -> Floats:
    """Accuracy of a group (or "all") at each strength, fractions, from the plateau that holds it."""
    values: Floats = getattr(curve.values, group)[curve.plateau_at(strengths)]
    return values


def parse_sweep(text: str) -> Floats:
    """Strengths of `FROM:TO:STEP`, both ends included.

    Raises:
        UsageError: not three numbers, or no ascending range from 0 upwards.
    """
    try:
        first, last, step = (float(word) for word in text.split(":"))
    except ValueError:
        raise UsageError(f"--sweep {plain(text)}: expected FROM:TO:STEP, e.g. 0:2:0.05") from None
    if not (0 <= first < last <= _LARGEST_STRENGTH and step > 0) or (last - first) / step > _MOST_STRENGTHS:
        raise UsageError(
            f"--sweep {plain(text)}: expected 0 <= FROM < TO <= {_LARGEST_STRENGTH:g} in at most "
            f"{_MOST_STRENGTHS} steps, e.g. 0:2:0.05"
        )
    count = int(np.floor((last - first) / step + 1e-9))
    return np.asarray(first + step * np.arange(count + 1), dtype=np.float64)


def sweep_rows(
    adjusted: Adjusted, strengths: Floats
) -> Iterator[tuple[float, Mapping[str, AccuracySummary]]]:
    """Accuracy by split at each strength."""
    curves = {"test": adjusted.test_curve}
    if adjusted.validation_curve is not None:
        curves = {"validation": adjusted.validation_curve, **curves}
    for strength in strengths:
        yield float(strength), {split: curve.summary_at(float(strength)) for split, curve in curves.items()}


def methods_named(names: Sequence[str]) -> list[Method]:
    """The methods of these names, each once; several may stand in one name, apart by comma.

    Raises:
        UsageError: one is not known.
    """
    words = [word.strip() for word in ",".join(names).split(",")] if names else []
    return [method_named(word) for word in dict.fromkeys(words)]
