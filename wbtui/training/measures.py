"""Under which names do measurements reach the run folder? Every metric is declared here once, so readers know it."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from wbtui.config import StageConfig
from wbtui.data.longtail import LongTailData
from wbtui.data.profile import class_balanced_weights
from wbtui.diagnostics.batchnorm import batchnorm_scales
from wbtui.diagnostics.closed_form import closed_form_gauge, closed_form_weight
from wbtui.diagnostics.geometry import SplitGeometry
from wbtui.diagnostics.norms import classifier_norms
from wbtui.metrics.accuracy import AccuracySummary, ratio_by_class, summarise_accuracy
from wbtui.metrics.groups import GROUP_NAMES, Groups
from wbtui.metrics.ranks import spearman, without_rounding
from wbtui.models.heads import LinearHead
from wbtui.models.model import WbModel
from wbtui.store.format import Better, Metric
from wbtui.store.writer import RunWriter
from wbtui.training.stage import RunningSums, Stage

Scalars = dict[str, float]
Vectors = dict[str, npt.NDArray[np.floating]]
ACCURACIES = ("all", *GROUP_NAMES)


class Measures:
    """Names, declares and computes what one run measures."""

    def __init__(self, data: LongTailData, groups: Groups, model: WbModel, evaluated: list[str]) -> None:
        self._counts, self._names, self._groups = data.train_counts, data.class_names, groups
        self._ranked = data.train_counts.astype(np.float64)
        self._model, self._splits = model, ["train", *evaluated]
        self._layers = batchnorm_scales(model).names

    # ------------------------------------------------------------------ declarations

    def define(self, writer: RunWriter) -> None:
        """Declare every metric of the run."""
        for metric in [*self._of_training(), *self._of_the_model(), *self._of_the_splits()]:
            writer.define(metric)

    def _of_training(self) -> list[Metric]:
        running = [
            Metric(f"running.accuracy.{group}", "accuracy", "fraction", "higher", group)
            for group in ACCURACIES
        ]
        return [
            Metric("running.loss", "loss", "nats", "lower"),
            *running,
            Metric("lr", "learning_rate"),
            Metric("time.epoch_seconds", "time", "s", "lower"),
            Metric("time.images_per_second", "speed", "images/s", "higher"),
        ]

    def _of_the_model(self) -> list[Metric]:
        metrics = [
            self._by_class("classifier.norm@class", "classifier_norm"),
            Metric("classifier.norm.spearman", "rank_correlation"),
            Metric("maxnorm.threshold", "classifier_norm"),
            Metric("maxnorm.active", "maxnorm", "classes"),
            Metric("stage2.closed_form_error", "closed_form", "fraction", "lower"),
            Metric("stage2.norm_correlation", "closed_form"),
        ]
        if self._layers:
            metrics += [
                Metric("bn.scale.mean", "bn_scale"),
                Metric("bn.scale.layer_mean", "bn_scale"),
                Metric(
                    "bn.scale@layer", "bn_scale", axis="layer", width=len(self._layers), names=self._layers
                ),
            ]
        return metrics

    def _of_the_splits(self) -> list[Metric]:
        return [metric for split in self._splits for metric in self._of_one_split(split)]

    def _of_one_split(self, split: str) -> list[Metric]:
        accuracies = [
            Metric(f"{split}.accuracy.{group}", "accuracy", "fraction", "higher", group)
            for group in ACCURACIES
        ]
        return [
            *accuracies,
            self._by_class(f"{split}.accuracy@class", "accuracy", "fraction", "higher"),
            Metric(f"{split}.loss", "loss", "nats", "lower"),
            Metric(f"{split}.fdr", "fdr", better="higher"),
            Metric(f"{split}.fdr.rank", "fdr_parts", "dimensions"),
            Metric(f"{split}.fdr.within", "fdr_parts"),
            Metric(f"{split}.fdr.between", "fdr_parts"),
            Metric(f"{split}.fdr.flagged", "fdr_parts"),
            Metric(f"{split}.cosine.intra", "cosine", better="higher"),
            Metric(f"{split}.cosine.inter", "cosine", better="lower"),
            self._by_class(f"{split}.feature_norm@class", "feature_norm"),
            self._by_class(f"{split}.mean_feature_norm@class", "mean_feature_norm"),
            Metric(f"{split}.feature_norm.spearman", "rank_correlation"),
            Metric(f"{split}.cosine", "cosine", axis="matrix", width=len(self._names), names=self._names),
            Metric(
                f"{split}.confusion",
                "confusion",
                "images",
                axis="matrix",
                width=len(self._names),
                names=self._names,
            ),
        ]

    def _by_class(self, name: str, family: str, unit: str = "", better: Better = "none") -> Metric:
        return Metric(name, family, unit, better, axis="class", width=len(self._names), names=self._names)

    # ------------------------------------------------------------------ values

    def of_epoch(self, stage: Stage, sums: RunningSums, rate: float) -> tuple[Scalars, Vectors]:
        """What the training pass itself and the model tell after an epoch."""
        seen, correct = sums.seen.cpu().numpy(), sums.correct.cpu().numpy()
        running = summarise_accuracy(
            ratio_by_class(correct.astype(np.int64), seen.astype(np.int64)), self._groups
        )
        scalars: Scalars = {
            "running.loss": sums.loss.item() / max(float(seen.sum()), 1.0),
            "lr": rate,
            **_accuracies("running", running),
        }
        more, vectors = self.of_model()
        scalars |= more
        if stage.maxnorm:
            scalars["maxnorm.threshold"] = stage.maxnorm.threshold
            scalars["maxnorm.active"] = float(stage.maxnorm.cut.sum().item())
        return scalars, vectors

    def of_model(self) -> tuple[Scalars, Vectors]:
        """Classifier norms and BatchNorm scales, as they stand now."""
        norms = classifier_norms(self._model.head)
        # Norms of an ETF, and of rows that MaxNorm has cut, differ by rounding alone, which must not be ranked.
        scalars: Scalars = {"classifier.norm.spearman": spearman(self._ranked, without_rounding(norms))}
        vectors: Vectors = {"classifier.norm@class": norms}
        if self._layers:
            scales = batchnorm_scales(self._model)
            scalars |= {"bn.scale.mean": scales.mean, "bn.scale.layer_mean": scales.layer_mean}
            vectors["bn.scale@layer"] = scales.layers
        return scalars, vectors

    def accuracy(self, geometry: SplitGeometry) -> AccuracySummary:
        """Accuracy of a measured split: All, by group and by class."""
        return summarise_accuracy(ratio_by_class(geometry.correct, geometry.counts), self._groups)

    def of_split(self, split: str, geometry: SplitGeometry) -> tuple[Scalars, Vectors]:
        """Accuracy and geometry of one split under their names."""
        accuracy, fisher = self.accuracy(geometry), geometry.fisher
        scalars: Scalars = {
            **_accuracies(split, accuracy),
            f"{split}.loss": geometry.loss,
            f"{split}.fdr": fisher.value,
            f"{split}.fdr.rank": float(fisher.rank),
            f"{split}.fdr.within": fisher.within,
            f"{split}.fdr.between": fisher.between,
            f"{split}.fdr.flagged": float(fisher.flagged),
            f"{split}.cosine.intra": geometry.cosine_intra,
            f"{split}.cosine.inter": geometry.cosine_inter,
            f"{split}.feature_norm.spearman": spearman(self._ranked, geometry.feature_norms),
        }
        vectors: Vectors = {
            f"{split}.accuracy@class": accuracy.by_class,
            f"{split}.feature_norm@class": geometry.feature_norms,
            f"{split}.mean_feature_norm@class": geometry.mean_feature_norms,
        }
        return scalars, vectors

    def of_stage_two(self, stage: StageConfig, train: SplitGeometry) -> Scalars:
        """How near the classifier is to what strong decay drives it to, from exact training means.

        Empty without weight decay, where there is no such classifier, and for losses other than ce and cb, whose
        gradients at small logits are others than the closed form's.
        """
        if not stage.weight_decay or stage.loss.name not in ("ce", "cb"):
            return {}
        balanced = stage.loss.name == "cb"
        weights = (
            class_balanced_weights(self._counts, stage.loss.beta) if balanced else np.ones(len(self._counts))
        )
        if stage.sampler == "class_balanced":  # class k is drawn N/C times an epoch, not n_k times
            weights = weights * self._counts.mean() / self._counts
        form = stage.loss.cb_form if balanced else "ce"
        means = train.class_means
        predicted = closed_form_weight(means, self._counts, weights, stage.weight_decay, form)
        head = self._model.head
        if isinstance(head, LinearHead) and head.class_scale is not None:
            # The gradient of z_k = s_k w_kᵀ h by w_k is s_k times that of w_kᵀ h.
            predicted *= head.class_scale.detach().cpu().double().numpy()[:, None]
        gauge = closed_form_gauge(head.weight.detach().cpu().numpy(), predicted, means)
        return {
            "stage2.closed_form_error": gauge.relative_error,
            "stage2.norm_correlation": gauge.norm_correlation,
        }

    def matrices(self, split: str, geometry: SplitGeometry) -> Vectors:
        """The C x C matrices of one split under their names."""
        return {
            f"{split}.cosine": geometry.cosine,
            f"{split}.confusion": geometry.confusion.astype(np.float32),
        }

    def figures(self, scalars: Mapping[str, float]) -> Scalars:
        """What is kept of chosen weights: all that is measured of splits, lest some of it be of another epoch's."""
        return {
            name: value
            for name, value in scalars.items()
            if name.partition(".")[0] in self._splits or name == "bn.scale.mean"
        }


def _accuracies(split: str, accuracy: AccuracySummary) -> Scalars:
    return {f"{split}.accuracy.{group}": getattr(accuracy, group) for group in ACCURACIES}
