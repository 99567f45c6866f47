"""What is one run: its sections together, and the combinations that cannot be?"""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wbtui import catalog
from wbtui.config.data import DataConfig
from wbtui.config.model import ModelConfig
from wbtui.config.section import AtLeastOne, Count, NonNegative, Section
from wbtui.config.stage import StageConfig


class DiagnosticsConfig(Section):
    """How often class-wise geometry is measured."""

    train_every: AtLeastOne = 10
    """Epochs between exact diagnostics of the un-augmented training split, and at the end (small sets: 1)."""

    matrices_every: Count = 0
    """Epochs between kept cosine-similarity and confusion matrices; 0: only at the last epoch."""


class EvaluationConfig(Section):
    """How validation and test are measured."""

    every: AtLeastOne = 1
    """Epochs between evaluations; the last epoch is always evaluated."""

    batch_size: AtLeastOne = 500
    """Images a batch of the eval pass."""

    tta: Literal["none", "flip"] = "none"
    """flip: logits averaged over the image and its mirror image; always named beside the result."""

    selection: Literal["last", "best_validation"] = "last"
    """Which weights the final figures and predictions come from: the last, or those of the last stage's best All on
    validation. A later stage always goes on from the last weights. Test is measured but never selects."""


class CheckpointConfig(Section):
    """What a kill may cost."""

    every_seconds: NonNegative = 30.0
    """Seconds between checkpoints, taken between batches; every epoch where that costs under 2 %."""


class RunConfig(Section):
    """One run: `wbtui run --config` on the TOML of this repeats it."""

    preset: str = ""
    """The data preset that this configuration came from; a label."""

    variant: str = ""
    """The variant (method) that this configuration came from; a label."""

    name: str = Field(default="", max_length=200)
    """A name of the user's own; a label."""

    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Seed of the initialisation, the order of images and the augmentation."""

    device: str = "auto"
    """auto (cuda, else cpu), cpu, mps, cuda or cuda:N."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the net: fp32 is the reference; bf16 is autocast over fp32 weights; auto: bf16 on CUDA, and on
    processors with bf16 instructions for nets of 20 MFLOP an image or more."""

    engine: Literal["auto", "eager", "graphs", "compiled"] = "auto"
    """How steps are taken: eager, one by one from Python, is the reference and what auto means everywhere; graphs:
    whole steps recorded once as CUDA graphs and replayed, CUDA only; compiled: the net through torch.compile, CPU only,
    needs a C++ compiler and a minute before the first step."""

    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    """torch threads; 0: one for nets under 20 MFLOP an image, else the cores divided by the parallel runs,
    and no more than OMP_NUM_THREADS."""

    data: DataConfig = DataConfig()
    """Which images."""

    model: ModelConfig = ModelConfig()
    """Which net and classifier."""

    stages: tuple[StageConfig, ...] = Field(default=(StageConfig(),), min_length=1, max_length=8)
    """The stages, in order."""

    diagnostics: DiagnosticsConfig = DiagnosticsConfig()
    """Class-wise geometry."""

    evaluation: EvaluationConfig = EvaluationConfig()
    """Validation and test."""

    checkpoint: CheckpointConfig = CheckpointConfig()
    """Checkpoints."""

    @property
    def num_classes(self) -> int:
        """C where the source fixes it, else 0 (npz and folder tell when they are read)."""
        return self.data.classes or catalog.SOURCES[self.data.source].classes

    def cosine_scale_in(self, stage: StageConfig) -> float:
        """s of a cosine classifier in a stage: LDAM brings its own."""
        return stage.loss.scale if stage.loss.name == "ldam" else self.model.cosine_scale

    @property
    def total_epochs(self) -> int:
        """Epochs of all stages together."""
        return sum(stage.epochs for stage in self.stages)

    @field_validator("device", mode="before")
    @classmethod
    def _device(cls, device: object) -> object:
        if not isinstance(device, str) or not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]{1,3})?", device):
            raise ValueError("expected auto, cpu, mps, cuda or cuda:N")
        return device

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_stages()
        self._check_engine()
        self._check_images()
        self._check_head()
        return self

    def _check_stages(self) -> None:
        if self.stages[0].trains != "all":
            raise ValueError(
                f"stages.0.trains = {self.stages[0].trains!r}: a first stage has no trained net to freeze; "
                "expected 'all' in stages.0 and this stage after it"
            )
        names = [stage.name for stage in self.stages]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(
                    f"stages.{i}.name = {name!r} is also the name of stages.{names.index(name)}; expected another "
                    f"name, or no stages.{i} (has this variant only {i}?)"
                )

    def _check_engine(self) -> None:
        if self.engine == "graphs" and self.device in ("cpu", "mps"):
            raise ValueError(
                f"engine = 'graphs' replays CUDA graphs, which device = {self.device!r} has not; expected "
                "engine = 'eager' (or 'auto'), or device = 'cuda'"
            )
        if self.engine == "compiled" and self.device not in ("auto", "cpu"):
            raise ValueError(
                f"engine = 'compiled' compiles for a processor, which device = {self.device!r} is not; expected "
                "engine = 'eager' (or 'auto'), or device = 'cpu'"
            )

    def _check_images(self) -> None:
        data = self.data
        most = catalog.SOURCES[data.source].most_classes
        if most and data.classes > most:
            raise ValueError(f"data.classes = {data.classes}: {data.source} has {most} classes")
        if data.split_rule == "full" and self.evaluation.selection == "best_validation":
            raise ValueError(
                "evaluation.selection = 'best_validation': the full split rule keeps no validation images; "
                "expected selection = 'last' or data.split_rule = 'holdout'"
            )
        if data.split_rule == "holdout" and 0 < data.images_per_class <= data.validation_per_class:
            raise ValueError(
                f"data.images_per_class = {data.images_per_class} leaves nothing to train on beside "
                f"data.validation_per_class = {data.validation_per_class}"
            )

    def _check_head(self) -> None:
        head = self.model.head
        if why := self.model.too_many_classes(self.num_classes, self.data.source):
            raise ValueError(why)
        trains_classifier = any(stage.trains == "classifier" for stage in self.stages)
        if head == "etf" and not self.model.bias and trains_classifier:
            raise ValueError(
                "model.head = 'etf' without bias has nothing to train in a stage with trains = 'classifier'"
            )
        for i, stage in enumerate(self.stages):
            needs = (
                (stage.loss.name == "ldam", "loss.name = 'ldam'", "cosine"),
                (stage.trains == "classifier_scale", "trains = 'classifier_scale'", "linear"),
                (stage.classifier_init == "fresh", "classifier_init = 'fresh'", "linear"),
                (stage.constraint == "maxnorm", "constraint = 'maxnorm'", "linear"),
            )
            for chosen, setting, needed in needs:
                if chosen and head != needed:
                    raise ValueError(f"stages.{i}.{setting} needs model.head = {needed!r}, got {head!r}")
