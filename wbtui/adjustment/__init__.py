"""Logit adjustment of finished runs: methods, exact curves, choice of strength. Numpy only, no files.

Accuracies are fractions. A choice is made on validation; whatever is chosen on test is called "oracle".
"""

from wbtui.adjustment.choose import Basis, Choice, choose_strength, oracle_choice, published_choice
from wbtui.adjustment.criteria import CRITERIA, AllAccuracy, Criterion, FewAboveFloor, HarmonicMean
from wbtui.adjustment.curve import GRID_STEP, Curve, GroupValues, strength_curve
from wbtui.adjustment.evaluate import Evaluation, Score, evaluate, score
from wbtui.adjustment.methods import DEFAULT_METHOD, METHODS, label_of, method_named
from wbtui.adjustment.methods.additive_multiplicative import AdditiveMultiplicative
from wbtui.adjustment.methods.base import Method
from wbtui.adjustment.negative import NegativeLogits, negative_logits
from wbtui.adjustment.pair import GAMMAS, choose_pair
from wbtui.adjustment.prior import ClassPrior, given_prior, training_prior, validation_prior
from wbtui.adjustment.scored import ScoredSet, Split

__all__ = [
    "CRITERIA",
    "DEFAULT_METHOD",
    "GAMMAS",
    "GRID_STEP",
    "METHODS",
    "AdditiveMultiplicative",
    "AllAccuracy",
    "Basis",
    "Choice",
    "ClassPrior",
    "Criterion",
    "Curve",
    "Evaluation",
    "FewAboveFloor",
    "GroupValues",
    "HarmonicMean",
    "Method",
    "NegativeLogits",
    "Score",
    "ScoredSet",
    "Split",
    "choose_pair",
    "choose_strength",
    "evaluate",
    "given_prior",
    "label_of",
    "method_named",
    "negative_logits",
    "oracle_choice",
    "published_choice",
    "score",
    "strength_curve",
    "training_prior",
    "validation_prior",
]
