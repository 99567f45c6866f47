"""Which panels do the declared metrics make? A pure function: a metric nobody has heard of gets its panel too."""

from collections.abc import Iterable
from dataclasses import dataclass

from wbtui.report.figures import SCREEN_TITLES, SPLITS_SHOWN
from wbtui.store.format import Axis, Metric
from wbtui.store.text import plain

_ORDER = (
    "accuracy",
    "fdr",
    "bn_scale",
    "feature_norm@class",
    "classifier_norm@class",
    "loss",
    "accuracy@class",
    "cosine",
    "mean_feature_norm@class",
    "bn_scale@layer",
    "rank_correlation",
    "learning_rate",
    "fdr_parts",
    "cosine@matrix",
    "confusion@matrix",
    "closed_form",
    "maxnorm",
    "classifier_norm",
)
_TITLES = {
    "accuracy": "Accuracy",
    "fdr": "FDR",
    "bn_scale": "BN scale",
    "feature_norm@class": "Feature norm by class",
    "classifier_norm@class": "Classifier norm by class",
    "mean_feature_norm@class": "Norm of mean feature by class",
    "accuracy@class": "Accuracy by class",
    "loss": "Loss",
    "cosine": "Cosine similarity",
    "cosine@matrix": "Cosine similarity of classes",
    "confusion@matrix": "Confusion matrix",
    "bn_scale@layer": "BN scale by layer",
    "fdr_parts": "FDR parts",
    "rank_correlation": "Rank correlation with n_k",
    "closed_form": "Stage 2 closed form",
}
_LABELS = {
    "bn.scale.mean": "mean of all",
    "bn.scale.layer_mean": "mean of layers",
    "classifier.norm.spearman": "classifier norm",
    "feature_norm.spearman": "feature norm",
    "lr": "learning rate",
    "stage2.closed_form_error": "error",
    "stage2.norm_correlation": "norm correlation",
    "time.epoch_seconds": "seconds an epoch",
    "time.images_per_second": "images a second",
}
"""What metrics are called in the legend of their panel, without their split."""


@dataclass(frozen=True)
class PanelView:
    """One choice of curves in a panel."""

    name: str
    """The split, or empty where there is none."""
    metrics: tuple[str, ...]
    """Of those, the first is the one that stands for a run beside others."""
    labels: tuple[str, ...]
    """What tells them apart."""


@dataclass(frozen=True)
class YSpan:
    """What a y axis holds whatever the values, so that it does not zoom into noise; in the unit of the panel."""

    low: float | None = None
    """It begins here, or lower where a value is; None: where the values do."""
    high: float | None = None
    """It reaches here at least."""
    least: float = 0.0
    """From end to end at least, around the values."""

    def bounds(self, values: tuple[float, float]) -> tuple[float, float]:
        """The axis of values from a lowest to a highest."""
        low, high = values
        widen = max(self.least - (high - low), 0.0) / 2
        low, high = low - widen, high + widen
        low = low if self.low is None else min(low, self.low)
        return low, high if self.high is None else max(high, self.high)


@dataclass(frozen=True)
class PanelSpec:
    """One panel."""

    key: str
    """family, family@class, family@layer or family@matrix."""
    title: str
    axis: Axis
    unit: str
    views: tuple[PanelView, ...]
    span: YSpan | None = None
    """None: the y axis spans the values."""

    @property
    def factor(self) -> float:
        """By what values are multiplied for people: fractions are read in percent."""
        return 100.0 if self.unit == "fraction" else 1.0

    def view(self, index: int) -> PanelView:
        """The view with this number, counted round."""
        return self.views[index % len(self.views)]


def panels_of(metrics: Iterable[Metric]) -> tuple[PanelSpec, ...]:
    """The panels of these metrics, those that people ask for first at the front.

    Args:
        metrics: Declared metrics of all shown runs; a name may come again.
    """
    unique = {metric.name: metric for metric in metrics}
    by_panel: dict[str, list[Metric]] = {}
    for metric in unique.values():
        by_panel.setdefault(_key(metric), []).append(metric)
    places = {key: place for place, key in enumerate(_ORDER)}
    keys = sorted(by_panel, key=lambda key: (places.get(key, len(places)), key))
    return tuple(_panel(key, by_panel[key]) for key in keys)


def _key(metric: Metric) -> str:
    return metric.family if metric.axis == "scalar" else f"{metric.family}@{metric.axis}"


def _panel(key: str, metrics: list[Metric]) -> PanelSpec:
    by_split: dict[str, list[Metric]] = {}
    for metric in metrics:
        split = metric.name.partition(".")[0]
        by_split.setdefault(split if split in SPLITS_SHOWN else "", []).append(metric)
    splits = sorted(by_split, key=lambda split: SPLITS_SHOWN.index(split) if split in SPLITS_SHOWN else -1)
    views = [_view(split, by_split[split]) for split in splits]
    leading = [view for view in views if view.name and len(by_split[view.name]) == 1]
    if metrics[0].axis == "scalar" and len(leading) > 1:  # one metric a split: all splits in one picture
        views.append(
            PanelView(
                "every split",
                tuple(view.metrics[0] for view in leading),
                tuple(view.name for view in leading),
            )
        )
    units = {metric.unit for metric in metrics}
    axis = metrics[0].axis
    family = plain(metrics[0].family).replace("_", " ")
    title = _TITLES.get(key) or family[:1].upper() + family[1:] + ("" if axis == "scalar" else f" by {axis}")
    return PanelSpec(key, title, axis, units.pop() if len(units) == 1 else "", tuple(views))


def _view(split: str, metrics: list[Metric]) -> PanelView:
    groups = tuple(SCREEN_TITLES)
    metrics = sorted(metrics, key=lambda m: groups.index(m.group) if m.group in groups else len(groups))
    return PanelView(split, tuple(m.name for m in metrics), tuple(_label(m, split) for m in metrics))


def _label(metric: Metric, split: str) -> str:
    if metric.group in SCREEN_TITLES:
        return SCREEN_TITLES[metric.group]
    name = metric.name.partition("@")[0].removeprefix(f"{split}.")
    words = name.split(".")
    own = metric.family.split("_")
    # The panel's title says the family already.
    while len(words) > 1 and (words[0] == metric.family or words[0] in own):
        words = words[1:]
    return _LABELS.get(name) or " ".join(words).replace("_", " ")
