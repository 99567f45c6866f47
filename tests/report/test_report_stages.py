"""Is whatever a result rests on said in the line of its stage and of its model?"""

from typing import Any

import pytest

from wbtui.catalog import LossName
from wbtui.config import ModelConfig, StageConfig
from wbtui.config.stage import LossConfig
from wbtui.presets import resolve
from wbtui.report.stages import model_in_words, stage_in_words


def words(**settings: Any) -> str:
    return stage_in_words(StageConfig.model_validate(settings).model_dump())


def test_stage_two_of_weight_balancing_says_its_loss_decay_and_constraint() -> None:
    first, second = (
        stage_in_words(stage.model_dump()) for stage in resolve("cifar100_lt", "wb").config.stages
    )
    assert first == "320 epochs, loss ce, lr 0.01 cosine_papers, batch 64, WD 0.005"
    assert second == (
        "10 epochs, loss cb (cb_form bce_softmax, beta 0.9999), lr 0.01 cosine_papers, batch 64, WD 0.1, "
        "MaxNorm 0.1 every step, classifier only, augmented features"
    )


def test_every_option_of_a_loss_is_said_with_a_loss_that_has_it() -> None:
    said = " ".join(words(loss={"name": name}) for name in LossName.__args__)
    assert [option for option in LossConfig.model_fields if f"{option} " not in f"name {said}"] == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"trains": "classifier", "freeze_bn_stats": False}, "BN statistics move"),
        ({"nesterov": True}, "Nesterov momentum 0.9"),
        ({"momentum": 0.5}, "lr 0.1 cosine, momentum 0.5, batch"),
    ],
)
def test_what_differs_from_the_papers_is_said(settings: dict[str, Any], said: str) -> None:
    assert said in words(**settings)
    assert "statistics" not in words(trains="classifier")
    assert "momentum" not in words()


def test_statistics_of_a_net_that_trains_move_anyway() -> None:
    assert "statistics" not in words(freeze_bn_stats=False)


def test_where_an_etf_begins_is_said() -> None:
    turned = ModelConfig(name="resnet8", head="etf", etf_init="class_means")
    assert model_in_words(turned.model_dump()) == "resnet8, etf head from class means"
    assert model_in_words(ModelConfig(name="resnet8", head="etf").model_dump()) == "resnet8, etf head"
    linear = ModelConfig(name="resnet8", etf_init="class_means", bias=False)
    assert model_in_words(linear.model_dump()) == "resnet8, linear head without bias"
