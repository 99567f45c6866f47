"""Accuracy by class and group, calibration, intervals and rank correlation: numpy only, no files.

Accuracies are fractions in 0..1 everywhere in code and stored data.
"""

from wbtui.metrics.accuracy import (
    AccuracySummary,
    accuracy_by_class,
    confusion_matrix,
    correct_by_class,
    ratio_by_class,
    summarise_accuracy,
)
from wbtui.metrics.calibration import ECE_BINS, expected_calibration_error, softmax, top_probability
from wbtui.metrics.groups import (
    GROUP_NAMES,
    GroupName,
    Groups,
    assign_groups,
    head_first,
    mean_present,
)
from wbtui.metrics.intervals import (
    RESAMPLES,
    Interval,
    SeedStatistics,
    bootstrap_class_mean,
    bootstrap_difference,
    paired_interval,
    seed_statistics,
    welch_interval,
)
from wbtui.metrics.ranks import spearman, without_rounding

__all__ = [
    "ECE_BINS",
    "GROUP_NAMES",
    "RESAMPLES",
    "AccuracySummary",
    "GroupName",
    "Groups",
    "Interval",
    "SeedStatistics",
    "accuracy_by_class",
    "assign_groups",
    "bootstrap_class_mean",
    "bootstrap_difference",
    "confusion_matrix",
    "correct_by_class",
    "expected_calibration_error",
    "head_first",
    "mean_present",
    "paired_interval",
    "ratio_by_class",
    "seed_statistics",
    "softmax",
    "spearman",
    "summarise_accuracy",
    "top_probability",
    "welch_interval",
    "without_rounding",
]
