"""What trains in one stage, on which loss, under which decay and constraint, for how long?"""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from wbtui import catalog
from wbtui.config.section import AtLeastOne, Fraction, NonNegative, Positive, Section


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
    """ldam: fraction of the stage's epochs after which the loss is a mean by class-balanced weights (DRW); 1: never."""


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
