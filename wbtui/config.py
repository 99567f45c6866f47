"""What is one run? Every setting of it, typed, with its unit, its default and the combinations that cannot be.

A new option belongs in the smallest section that needs it, followed by its docstring: `wbtui config` prints that
docstring as the comment above the option. Nothing here imports torch.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from wbtui import catalog

Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A frozen part of the configuration that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)


class DataConfig(Section):
    """Which images, in which long-tailed profile."""

    source: catalog.SourceName = "digits"
    """Where the images come from. digits and glyphs are embedded and need no download."""

    root: str = ""
    """File (npz) or folder (folder, torchvision sources) of the images; empty: the user's cache. An npz holds x_train
    and x_test, uint8 squares (N, H, W), (N, H, W, 3) or (N, 3, H, W), with y_train and y_test, classes from 0 (N,),
    and perhaps class_names; a folder train/CLASS/ and test/CLASS/ with small image files."""

    profile: Literal["exponential", "step", "natural"] = "exponential"
    """Class counts: n_max * IF^(-k/(C-1)); first half n_max and second half n_max/IF; or as the source has them."""

    imbalance_factor: Annotated[float, Field(ge=1.0, allow_inf_nan=False)] = 100.0
    """IF = largest / smallest class count, at least 1. Unused by the natural profile."""

    split_rule: Literal["holdout", "full"] = "holdout"
    """holdout: n_max = images_per_class - validation_per_class, rounded, the next images of each class validate;
    full: n_max = images_per_class, floored, no validation images."""

    images_per_class: Count = 0
    """Images of each class in the official train file, before the profile; 0: what the source has of its smallest
    class."""

    validation_per_class: AtLeastOne = 20
    """Validation images of each class under the holdout rule. Unused by the full rule."""

    test_per_class: Count = 0
    """Test images of each class; 0: the whole test set. digits has no test file: its last ones become the test set."""

    classes: Count = 0
    """How many classes to take, the first ones; 0: all that the source has."""

    many_above: Count = 100
    """A class with more training images than this is Many (head)."""

    few_below: Count = 20
    """A class with fewer training images than this is Few (tail); all others are Medium."""

    image_size: Count = 0
    """Side in pixels to which the folder source resizes and glyphs are drawn; 0: as they are (glyphs: 16)."""

    crop_padding: Count = 4
    """Pixels of zero padding before the random crop of a training image; 0: no crop."""

    horizontal_flip: bool = True
    """Whether training images are mirrored at random."""

    mean: tuple[float, ...] = ()
    """Per-channel mean subtracted from images in [0, 1]; empty: computed from the training split."""

    std: tuple[Positive, ...] = ()
    """Per-channel standard deviation that images are divided by; empty: computed from the training split."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.few_below > self.many_above + 1:
            raise ValueError(
                f"few_below = {self.few_below} overlaps many_above = {self.many_above}: a class would be Many and "
                "Few at once; expected few_below <= many_above + 1"
            )
        if len(self.mean) != len(self.std):
            raise ValueError(
                f"mean has {len(self.mean)} channels and std {len(self.std)}; expected as many of both"
            )
        if self.source in ("npz", "folder") and not self.root:
            raise ValueError(f"source = {self.source!r} needs root (--data-root): the path of its images")
        if self.source == "glyphs":
            if self.classes == 1 or self.classes > 36:
                raise ValueError(f"classes = {self.classes}: glyphs has 2 to 36 classes (0: 20)")
            if self.images_per_class == 0:
                raise ValueError(
                    "images_per_class = 0: glyphs are made in code, say how many; expected 1 or more"
                )
            if self.profile == "natural":
                raise ValueError("profile = 'natural': glyphs are made in code; expected exponential or step")
        return self


class ModelConfig(Section):
    """Which net and which classifier on top of it."""

    name: str = "resnet32"
    """Name of the net; `wbtui presets --nets` lists them with their feature sizes."""

    width: Count = 0
    """Base width (ResNets: channels of the first group; MLPs: hidden units); 0: the net's own."""

    depth: Count = 0
    """Number of layers (mlp) or blocks (residual_mlp); 0: the net's own. ResNets have it in their name."""

    head: Literal["linear", "cosine", "etf"] = "linear"
    """Classifier: z = Wh + b; z = s cos(w, h); or a fixed simplex equiangular tight frame whose bias alone trains."""

    bias: bool = True
    """Whether the classifier has a bias. The cosine classifier never has."""

    cosine_scale: Positive = 30.0
    """s of the cosine classifier. Unused by the others."""

    etf_init: Literal["random", "class_means"] = "random"
    """Rotation of the ETF: random (seeded), or aligned to the class means of the initialised net (Procrustes)."""

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        catalog.net(name)
        return name

    @property
    def feature_size(self) -> int:
        """D, the length of the pooled feature h."""
        return catalog.net(self.name).feature_size(self.width)


class LossConfig(Section):
    """The loss of a stage."""

    name: catalog.LossName = "ce"
    """ce; cb (class-balanced, effective number); focal; ldam; balanced_softmax; la (logit-adjusted); vs."""

    cb_form: Literal["ce", "bce_softmax"] = "ce"
    """cb: weighted cross-entropy, or WB22's released binary cross-entropy on softmax outputs divided by C."""

    beta: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9999
    """β of the effective number (1-β)/(1-β^n_k): cb, and the deferred weights of ldam."""

    gamma: NonNegative = 1.0
    """focal: exponent of (1-p_y); vs: exponent of the multiplicative scale (n_k/n_max)^γ."""

    tau: NonNegative = 1.0
    """la and vs: strength of the additive τ log π_k."""

    max_margin: Positive = 0.5
    """ldam: the largest margin, that of the rarest class."""

    scale: Positive = 30.0
    """ldam: s in CE(s(z - Δ)); z is the cosine of the cosine classifier, whose own scale is then not applied."""

    reweight_from: Fraction = 0.8
    """ldam: fraction of the stage's epochs after which class-balanced weights apply (DRW); 1: never."""


class StageConfig(Section):
    """One stage of training: what trains, on which loss, under which decay and constraint, for how long."""

    name: str = Field(default="representation", max_length=40)
    """Shown beside epochs and in tables."""

    trains: Literal["all", "classifier", "classifier_scale"] = "all"
    """The whole net; the classifier on a frozen net; or only a scale per class (LWS) on a frozen net."""

    epochs: AtLeastOne = 200
    """Passes over the training split."""

    batch_size: Annotated[int, Field(ge=2)] = 64
    """Images a step, at least 2 (BatchNorm needs them). The last, smaller batch is kept."""

    learning_rate: Positive = 0.1
    """SGD's learning rate at the start of the schedule."""

    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    """SGD's momentum."""

    nesterov: bool = False
    """Whether the momentum is Nesterov's."""

    schedule: Literal["cosine", "cosine_papers", "constant"] = "cosine"
    """cosine: to 0, every step; cosine_papers: every epoch, stepped before it, so that the last runs at 0; constant."""

    weight_decay: NonNegative = 0.0
    """λ in loss + λ/2 Σ‖θ‖² over what trains (SGD's own weight_decay)."""

    decay_rule: Literal["all", "no_bn"] = "all"
    """Which parameters decay: all that train, as the papers' code does; or all but BatchNorm's."""

    bn_scale: Literal["trained", "fixed"] = "trained"
    """Whether BatchNorm scales γ train; fixed: frozen at fixed_bn_scale and never decayed."""

    fixed_bn_scale: Positive = 0.07
    """The constant of bn_scale = fixed. The papers' value is unknown; 0.07 is ours, near the γ that decay leads to."""

    loss: LossConfig = LossConfig()
    """The loss."""

    feature_regularization: NonNegative = 0.0
    """λ_F in + λ_F/2 mean_i ‖h_i‖² (FR)."""

    constraint: Literal["none", "maxnorm"] = "none"
    """maxnorm: w_k ← w_k min(1, δ/‖w_k‖), δ = min‖w‖ + maxnorm_fraction (max‖w‖ - min‖w‖) of the classifier that
    the stage starts from; the bias is exempt."""

    maxnorm_fraction: Fraction = 0.1
    """Where δ lies between the smallest and the largest classifier norm at the start of the stage."""

    maxnorm_every: Literal["step", "epoch"] = "step"
    """How often MaxNorm projects: every step (the paper) or once an epoch (its released code)."""

    sampler: Literal["shuffled", "class_balanced"] = "shuffled"
    """Every image once an epoch, or classes drawn equally often (as many images an epoch)."""

    classifier_init: Literal["keep", "fresh"] = "keep"
    """Whether a later stage goes on with the classifier it finds or with a newly initialised one (cRT)."""

    freeze_bn_stats: bool = True
    """With a frozen net: whether BatchNorm's running statistics stand still too. WB22's code let them move."""

    features: Literal["augmented", "cached"] = "augmented"
    """With a frozen net: forward augmented images, or compute the features once without augmentation (seconds)."""

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError("expected letters, digits, - and _")
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.trains == "all":
            if self.features == "cached":
                raise ValueError("features = 'cached' needs a frozen net; expected trains = 'classifier'")
        elif self.bn_scale == "fixed":
            raise ValueError(
                "bn_scale = 'fixed' belongs to a stage that trains the net; expected trains = 'all'"
            )
        if self.classifier_init == "fresh" and self.trains != "classifier":
            raise ValueError(
                f"classifier_init = 'fresh' needs a stage that trains the classifier on a frozen net, not "
                f"{self.trains!r}; expected trains = 'classifier'"
            )
        if self.features == "cached" and not self.freeze_bn_stats:
            raise ValueError("features = 'cached' stand still, freeze_bn_stats = false does not; choose one")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov = true needs momentum > 0")
        if self.trains == "classifier_scale" and self.constraint != "none":
            raise ValueError(
                "constraint = 'maxnorm' bounds classifier weights, which classifier_scale keeps fixed"
            )
        return self


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
    """torch threads; 0: one for nets under 20 MFLOP an image, else the cores divided by the parallel runs."""

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
        if self.stages[0].trains != "all":
            raise ValueError(
                f"stages.0.trains = {self.stages[0].trains!r}: a first stage has no trained net to freeze; "
                "expected 'all' in stages.0 and this stage after it"
            )
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
        names = [stage.name for stage in self.stages]
        for i, name in enumerate(names):
            if name in names[:i]:
                raise ValueError(
                    f"stages.{i}.name = {name!r} is also the name of stages.{names.index(name)}; expected another "
                    f"name, or no stages.{i} (has this variant only {i}?)"
                )
        known = catalog.SOURCES[self.data.source].classes
        if known and self.data.classes > known:
            raise ValueError(f"data.classes = {self.data.classes}: {self.data.source} has {known} classes")
        if self.data.split_rule == "full" and self.evaluation.selection == "best_validation":
            raise ValueError(
                "evaluation.selection = 'best_validation': the full split rule keeps no validation images; "
                "expected selection = 'last' or data.split_rule = 'holdout'"
            )
        if (
            self.data.split_rule == "holdout"
            and 0 < self.data.images_per_class <= self.data.validation_per_class
        ):
            raise ValueError(
                f"data.images_per_class = {self.data.images_per_class} leaves nothing to train on beside "
                f"data.validation_per_class = {self.data.validation_per_class}"
            )
        self._check_head()
        return self

    def _check_head(self) -> None:
        head, size = self.model.head, self.model.feature_size
        if head == "etf" and self.num_classes > size:
            raise ValueError(
                f"model.head = 'etf' needs at least as many feature dimensions as classes: {self.model.name} has "
                f"{size}, {self.data.source} has {self.num_classes} classes; expected another net, a larger "
                "model.width, or model.head = 'linear'"
            )
        if (
            head == "etf"
            and not self.model.bias
            and any(stage.trains == "classifier" for stage in self.stages)
        ):
            raise ValueError(
                "model.head = 'etf' without bias has nothing to train in a stage with trains = 'classifier'"
            )
        for i, stage in enumerate(self.stages):
            if stage.loss.name == "ldam" and head != "cosine":
                raise ValueError(f"stages.{i}.loss.name = 'ldam' needs model.head = 'cosine', got {head!r}")
            if stage.trains == "classifier_scale" and head != "linear":
                raise ValueError(
                    f"stages.{i}.trains = 'classifier_scale' needs model.head = 'linear', got {head!r}"
                )
            if stage.classifier_init == "fresh" and head != "linear":
                raise ValueError(
                    f"stages.{i}.classifier_init = 'fresh' needs model.head = 'linear', got {head!r}"
                )
            if stage.constraint == "maxnorm" and head != "linear":
                raise ValueError(
                    f"stages.{i}.constraint = 'maxnorm' needs model.head = 'linear', got {head!r}"
                )


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of a nested table by dotted key; tables in a list by their index, lists of plain values are leaves."""
    for key, value in table.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, dotted + ".")
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, Mapping) for item in value):
            for index, item in enumerate(value):
                yield from flatten(item, f"{dotted}.{index}.")
        else:
            yield dotted, tuple(value) if isinstance(value, list) else value
