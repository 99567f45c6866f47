"""Which configurations are refused, and does the message say where, what, and what was expected?"""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.written import write
from wbtui import catalog
from wbtui.config import RunConfig
from wbtui.errors import UsageError
from wbtui.presets import parse_value, resolve


def refused(*settings: str, preset: str = "digits_lt", variant: str = "") -> str:
    with pytest.raises(UsageError) as caught:
        resolve(preset, variant, settings=settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("data.horizontal_flip=True", "data.horizontal_flip = 'True': expected true or false"),
        ("stages.0.nesterov=1.5", "stages.0.nesterov = 1.5: expected true or false"),
        ("stages.0.epochs=1e2", "stages.0.epochs = 100.0: expected a whole number"),
        ("stages.0.epochs=ten", "stages.0.epochs = 'ten': expected a whole number"),
        ("stages.0.epochs=0", "stages.0.epochs = 0: expected greater than or equal to 1"),
        ("stages.0.weight_decay=small", "stages.0.weight_decay = 'small': expected a number"),
        ("data.mean=0.5", "data.mean = 0.5: expected a list, such as [0.5, 0.5]"),
        ("name=3", "name = 3: expected a text"),
        (f"name={'n' * 201}", "nnn...: expected at most 200 characters"),
        (f"stages.0.name={'n' * 41}", "expected at most 40 characters"),
        (
            "stages=[]",
            "expected a section, got a value; its keys are set one by one, such as stages.0.epochs",
        ),
        ("seed=[0,[1]]", "seed = [0, [1]]: expected a whole number"),
        ("name=2024-01-31", "name = 2024-01-31: expected a text"),
        ("seed=true", "seed = true: expected a whole number"),
        (f"seed={'9' * 5000}", "99...: expected a whole number"),
        ("stages.0.loss=ldam", "its keys are set one by one, such as stages.0.loss.name"),
        ("data.profile=expo", "expected 'exponential', 'step' or 'natural' (did you mean 'exponential'?)"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_words_of_the_file(setting: str, expected: str) -> None:
    """Not of Python, whose booleans and tuples nobody types here."""
    assert refused(setting).endswith(expected)


def test_too_few_or_too_many_stages_are_told_in_words_of_the_file() -> None:
    assert refused("stages=[]", preset="") == "--set stages=[]: stages = []: expected at least 1 item"
    assert (
        refused("stages=3", preset="") == "--set stages=3: stages = 3: expected [[stages]], a table a stage"
    )
    nine = [f"stages.{i}.name=s{i}" for i in range(9)]
    message = refused(*nine, preset="")
    assert message.startswith("--set stages.0.name=s0, ")
    assert message.endswith("...: expected at most 8 items")


@pytest.mark.parametrize(
    ("setting", "parts"),
    [
        ("stages.0.weigth_decay=1", ["--set", "stages.0.weigth_decay", "no such key", "'weight_decay'"]),
        ("dta.root=1", ["--set dta.root=1", "dta", "'data'"]),
        ("stages.0.weight_decay=-1", ["stages.0.weight_decay = -1", "greater than or equal to 0"]),
        ("stages.0.batch_size=0", ["stages.0.batch_size = 0", "greater than or equal to 2"]),
        ("stages.0.batch_size=many", ["stages.0.batch_size = 'many'", "whole number"]),
        ("stages.0.epochs=1.5", ["stages.0.epochs = 1.5", "whole number"]),
        ("stages.0.loss.name=fokal", ["stages.0.loss.name = 'fokal'", "'focal'"]),
        ("stages.2.epochs=1", ["stages.2", "without a gap"]),
        ("stages.0.trains=classifier", ["stages.0.trains", "no trained net to freeze", "expected 'all'"]),
        ("stages.0.features=cached", ["stages.0", "needs a frozen net"]),
        ("stages.0.classifier_init=fresh", ["stages.0", "not 'all'", "expected trains = 'classifier'"]),
        ("model.name=resnet43", ["model.name = 'resnet43'", "'resnet34'"]),
        ("stages.1.epochs=5", ["--set stages.1.epochs=5", "stages.1.name = 'representation'", "only 1?"]),
        ("data.imbalance_factor=0.5", ["data.imbalance_factor = 0.5", "greater than or equal to 1"]),
        ("data.imbalance_factor=nan", ["data.imbalance_factor = nan", "finite"]),
        ("data.images_per_class=20", ["data.images_per_class = 20", "nothing to train on"]),
        ("data.many_above=3", ["few_below = 8 overlaps many_above = 3"]),
        ("data.source=npz", ["source = 'npz' needs root"]),
        ("device=gpu", ["device = 'gpu': expected auto, cpu, mps, cuda or cuda:N"]),
        ("device=7", ["device = 7: expected auto, cpu, mps, cuda or cuda:N"]),
        ("stages.0.name='a b'", ["stages.0.name = 'a b': expected letters, digits, - and _"]),
        ("epochs=40", ["--set epochs=40: epochs: no such key; did you mean stages.0.epochs?"]),
        ("imbalance=10", ["no such key; did you mean data.imbalance_factor?"]),
        ("stages.0.lr=1", ["stages.0.lr: no such key; did you mean stages.0.learning_rate?"]),
        ("stages.0.gamma=1", ["did you mean stages.0.loss.gamma?"]),
        ("stages.wd=1", ["without a gap; did you mean stages.0.weight_decay?"]),
        ("optim.lr=1", ["optim.lr: no such key; did you mean stages.0.learning_rate?"]),
        ("net=mlp", ["net: no such key; did you mean model.name?"]),
        ("data=3", ["data = 3", "expected a section"]),
        ("data.mean=[0.1]", ["mean has 1 channels and std 0"]),
        ("data.mean=[nan]", ["--set data.mean=[nan]: data.mean.0 = nan", "finite"]),
        ("data.std=[-1]", ["--set data.std=[-1]: data.std.0 = -1", "greater than 0"]),
        (
            "data.root=\udcff",
            ["--set data.root=", "data.root = '\\udcff': expected a text that UTF-8 can write"],
        ),
        ("name=\udcff", ["name = '\\udcff': expected a text that UTF-8 can write"]),
        (
            "model.depth=5",
            ["--set model.depth=5: model: depth = 5: resnet8 has its depth in its name; expected 0"],
        ),
        ("seed", ["--set seed", "KEY=VALUE"]),
        ("stages..epochs=4", ["--set stages..epochs=4: expected KEY=VALUE"]),
    ],
)
def test_a_mistake_is_one_message_with_place_value_and_expectation(setting: str, parts: list[str]) -> None:
    message = refused(setting)
    assert "\n" not in message
    for part in parts:
        assert part in message


@pytest.mark.parametrize("setting", ["data=3", "stages.0=3", "stages.0.loss=ldam"])
def test_a_value_in_the_place_of_a_section_is_told_without_a_preset_too(setting: str) -> None:
    assert refused(setting, preset="").endswith(": expected a section")


def test_an_option_of_its_own_is_blamed_by_its_name() -> None:
    with pytest.raises(UsageError, match=r"^--data-root: data\.root = "):
        resolve("digits_lt", options={"data.root": "\udcff"})


def test_a_key_of_every_stage_is_meant_in_each_also_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve("digits_lt", "wb", write(tmp_path / "mine.toml", "bs = 16\n"))
    wanted = "stages.0.batch_size or stages.1.batch_size or evaluation.batch_size"
    assert str(caught.value) == f"{tmp_path / 'mine.toml'}: bs: no such key; did you mean {wanted}?"


def test_glyphs_are_as_many_as_their_alphabet_has() -> None:
    config = resolve("glyphs_lt", settings=["data.classes=36"]).config
    assert config.num_classes == 36
    assert "glyphs has 2 to 36 classes" in refused("data.classes=37", preset="glyphs_lt")


def test_an_etf_with_more_classes_than_dimensions_is_refused() -> None:
    message = refused("model.width=2", variant="wd_etf")
    assert "model.head = 'etf'" in message
    assert "resnet8 has 8" in message
    assert "10 classes" in message


def test_only_a_linear_classifier_starts_afresh() -> None:
    message = refused("model.head=cosine", variant="crt")
    assert "stages.1.classifier_init = 'fresh' needs model.head = 'linear', got 'cosine'" in message
    assert "not 'classifier_scale'" in refused("stages.1.classifier_init=fresh", variant="lws")


def test_validation_cannot_select_where_none_is_kept() -> None:
    message = refused("evaluation.selection=best_validation", "data.split_rule=full")
    assert "expected selection = 'last' or data.split_rule = 'holdout'" in message


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
keys = st.sampled_from(
    ["seed", "device", "data", "data.source", "data.mean", "data.classes", "model.name", "model.head", "stages",
     "stages.0", "stages.0.epochs", "stages.1.trains", "stages.0.loss.name", "stages.x.y", "a.b", "", ".", "data."]
)  # fmt: skip


@given(st.dictionaries(keys | st.text(max_size=12), values, max_size=4))
def test_any_settings_give_a_configuration_or_one_usage_error(options: dict[str, object]) -> None:
    with contextlib.suppress(UsageError):
        resolve("digits_lt", "wd", options=options)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_file_gives_a_configuration_or_one_usage_error(data: bytes) -> None:
    file = Path("any.toml")
    file.write_bytes(data)
    with contextlib.suppress(UsageError):
        resolve("digits_lt", "wd", file)


@given(st.text(max_size=20))
def test_any_value_of_a_setting_parses_to_something(text: str) -> None:
    parse_value(text)


def test_values_are_read_as_toml_and_plain_words_need_no_quotes() -> None:
    assert [parse_value(text) for text in ("1e-3", "3", "true", "wd", '"3"', "[0.1, 0.2]", "cuda:0")] == [
        1e-3, 3, True, "wd", "3", (0.1, 0.2), "cuda:0",
    ]  # fmt: skip


def test_every_option_says_what_it_is() -> None:
    def undescribed(section: type) -> list[str]:
        return [name for name, field in section.model_fields.items() if not field.description]

    sections = [RunConfig, *(type(getattr(RunConfig(), name)) for name in ("data", "model", "evaluation"))]
    assert [name for section in sections for name in undescribed(section)] == []


def test_one_file_adds_a_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"width": 8, "depth": 0, "features_per_width": 2, "mflop": 1.0, "flop_size": 32, "summary": "x"}
    write(tmp_path / "tiny.py", f"NETS = {{'tiny': {facts!r}}}\n")
    monkeypatch.setattr(catalog, "_NETS_FOLDER", tmp_path)
    catalog.nets.cache_clear()
    try:
        assert resolve("digits_lt", "wd", settings=["model.name=tiny"]).config.model.feature_size == 16
    finally:
        monkeypatch.undo()
        catalog.nets.cache_clear()
