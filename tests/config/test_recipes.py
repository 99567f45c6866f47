"""Do the shipped presets and variants say what their papers say, number by number?"""

from typing import Any

import pytest

from wbtui.config import flatten
from wbtui.presets import resolve


@pytest.mark.parametrize(
    ("preset", "images", "groups", "std"),
    [
        ("cifar10_lt", 5000, (1000, 200), (0.2470, 0.2435, 0.2616)),
        ("cifar100_lt", 500, (100, 20), (0.2023, 0.1994, 0.2010)),
    ],
)
def test_cifar_presets_hold_the_papers_data(
    preset: str, images: int, groups: tuple[int, int], std: tuple[float, ...]
) -> None:
    data = resolve(preset).config.data
    assert (data.source, data.images_per_class) == (preset.removesuffix("_lt"), images)
    assert (data.profile, data.split_rule, data.validation_per_class) == ("exponential", "holdout", 20)
    assert (data.many_above, data.few_below) == groups
    assert (data.mean, data.std) == ((0.4914, 0.4822, 0.4465), std)


_WD: dict[str, Any] = {"weight_decay": 5e-3}
_CUSTOMARY: dict[str, Any] = {"weight_decay": 2e-4}


@pytest.mark.parametrize(
    ("variant", "head", "first"),
    [
        ("ce", "linear", {}),
        ("wd", "linear", _WD),
        ("wd_no_bn", "linear", _WD | {"decay_rule": "no_bn"}),
        ("wd_fixed_bn", "linear", _WD | {"bn_scale": "fixed"}),
        ("cb", "linear", {"loss.name": "cb"}),
        ("wd_cb", "linear", _WD | {"loss.name": "cb"}),
        ("wb", "linear", _WD),
        ("wb_ce", "linear", _WD),
        ("wd_etf", "etf", _WD),
        ("wd_fr", "linear", _WD | {"feature_regularization": 0.01}),
        ("wd_fr_etf", "etf", _WD | {"feature_regularization": 0.01}),
        ("focal", "linear", _CUSTOMARY | {"loss.name": "focal"}),
        ("ldam_drw", "cosine", _CUSTOMARY | {"loss.name": "ldam"}),
        ("balanced_softmax", "linear", _CUSTOMARY | {"loss.name": "balanced_softmax"}),
        ("la_loss", "linear", _CUSTOMARY | {"loss.name": "la"}),
        ("vs", "linear", _CUSTOMARY | {"loss.name": "vs", "loss.gamma": 0.2}),
        ("crt", "linear", _CUSTOMARY),
        ("lws", "linear", _CUSTOMARY),
    ],
)
def test_stage_one_of_a_variant_differs_from_the_naive_one_in_what_its_source_says(
    variant: str, head: str, first: dict[str, Any]
) -> None:
    naive, other = (resolve("cifar100_lt", name).config for name in ("ce", variant))
    before, after = (dict(flatten(config.stages[0].model_dump())) for config in (naive, other))
    assert {key: value for key, value in after.items() if value != before[key]} == first
    assert other.model == naive.model.model_copy(update={"head": head})
    loss = naive.stages[0].loss
    assert (loss.beta, loss.gamma, loss.tau) == (0.9999, 1.0, 1.0)
    assert (loss.max_margin, loss.scale, loss.reweight_from) == (0.5, 30.0, 0.8)
    assert naive.stages[0].fixed_bn_scale == 0.07
    assert len(other.stages) == (2 if variant in ("wb", "wb_ce", "crt", "lws") else 1)


def test_stage_two_of_crt_and_lws_is_the_published_one_at_a_rate_for_batch_64() -> None:
    crt, lws = (resolve("cifar100_lt", name).config.stages[1] for name in ("crt", "lws"))
    assert (crt.trains, crt.classifier_init, crt.epochs, crt.weight_decay) == (
        "classifier",
        "fresh",
        10,
        5e-4,
    )
    assert (lws.trains, lws.classifier_init, lws.epochs, lws.weight_decay) == (
        "classifier_scale",
        "keep",
        5,
        0,
    )
    for stage in (crt, lws):
        assert (stage.sampler, stage.loss.name, stage.schedule) == ("class_balanced", "ce", "cosine")
        assert stage.learning_rate / stage.batch_size == 0.2 / 512


def test_true_cross_entropy_in_stage_two_is_all_that_tells_wb_ce_from_wb() -> None:
    wb, wb_ce = (dict(flatten(resolve("cifar100_lt", name).config.model_dump())) for name in ("wb", "wb_ce"))
    differing = {key: (value, wb_ce[key]) for key, value in wb.items() if value != wb_ce[key]}
    assert differing == {"variant": ("wb", "wb_ce"), "stages.1.loss.cb_form": ("bce_softmax", "ce")}
    assert (wb["stages.1.maxnorm_fraction"], wb["stages.1.maxnorm_every"]) == (0.1, "step")
    assert (wb["stages.1.batch_size"], wb["stages.1.freeze_bn_stats"]) == (64, True)
