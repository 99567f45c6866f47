"""Class-wise geometry of features and classifiers."""

from wbtui.diagnostics.batchnorm import BatchNormScales, batchnorm_scales
from wbtui.diagnostics.closed_form import ClosedFormGauge, closed_form_gauge, closed_form_weight
from wbtui.diagnostics.fisher import FisherRatio, fisher_discriminant_ratio
from wbtui.diagnostics.geometry import SplitGeometry, split_geometry
from wbtui.diagnostics.norms import classifier_norms
from wbtui.diagnostics.statistics import SplitStatistics

__all__ = [
    "BatchNormScales",
    "ClosedFormGauge",
    "FisherRatio",
    "SplitGeometry",
    "SplitStatistics",
    "batchnorm_scales",
    "classifier_norms",
    "closed_form_gauge",
    "closed_form_weight",
    "fisher_discriminant_ratio",
    "split_geometry",
]
