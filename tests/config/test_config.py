"""Which configurations are refused, and does the message say where, what, and what was expected?"""

import contextlib
import tomllib
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from wbtui import catalog
from wbtui.config import DataConfig, RunConfig
from wbtui.errors import UsageError
from wbtui.notices import label_notices, notices
from wbtui.presets import load_preset, parse_value, preset_paths, read_layer, resolve, variant_paths

PRESETS, VARIANTS = sorted(preset_paths()), sorted(variant_paths())


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


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_fits_every_preset(preset: str, variant: str) -> None:
    config = resolve(preset, variant).config
    assert (config.preset, config.variant) == (preset, variant)


def test_the_shipped_presets_and_variants_are_those_promised() -> None:
    assert set(PRESETS) >= {"digits_lt", "glyphs_lt", "fashion_lt", "mnist_lt", "cifar10_lt", "cifar100_lt"}
    assert set(VARIANTS) >= {
        *(
            "ce",
            "wd",
            "wd_no_bn",
            "wd_fixed_bn",
            "cb",
            "wd_cb",
            "wb",
            "wb_ce",
            "wd_etf",
            "wd_fr",
            "wd_fr_etf",
        ),
        *("focal", "ldam_drw", "balanced_softmax", "la_loss", "vs", "crt", "lws"),
    }


@pytest.mark.parametrize("preset", ["cifar10_lt", "cifar100_lt"])
def test_cifar_presets_are_the_papers_recipe(preset: str) -> None:
    wd, wb = resolve(preset, "wd").config, resolve(preset, "wb").config
    first = wd.stages[0]
    assert (wd.model.name, first.epochs, first.batch_size, first.learning_rate) == ("resnet34", 320, 64, 0.01)
    assert (first.momentum, first.nesterov, first.schedule, first.weight_decay) == (
        0.9,
        False,
        "cosine_papers",
        5e-3,
    )
    assert (wd.data.imbalance_factor, wd.data.crop_padding, wd.data.horizontal_flip) == (100, 4, True)
    second = wb.stages[1]
    assert (second.trains, second.epochs, second.learning_rate, second.weight_decay) == (
        "classifier",
        10,
        0.01,
        0.1,
    )
    assert (second.loss.cb_form, second.loss.beta, second.constraint) == ("bce_softmax", 0.9999, "maxnorm")


def test_a_preset_carries_its_own_strength_for_a_variant_and_its_descendants() -> None:
    assert resolve("cifar10_lt", "wd_fr_etf").config.stages[0].feature_regularization == 0.01
    assert resolve("digits_lt", "wd_fr_etf").config.stages[0].feature_regularization == 0.001


def test_later_layers_win_and_each_value_knows_its_origin(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.toml", "[stages.0]\nepochs = 7\nbatch_size = 16\n")
    found = resolve("digits_lt", "wd", file, ["stages.0.epochs=3"], {"seed": 9})
    assert (found.config.stages[0].epochs, found.config.stages[0].batch_size, found.config.seed) == (3, 16, 9)
    assert found.origins["stages.0.epochs"] == "--set stages.0.epochs=3"
    assert found.origins["stages.0.batch_size"] == str(file)
    assert found.origins["seed"] == "--seed"
    assert found.origins["stages.0.weight_decay"].endswith("wd.toml")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_resolved_configuration_repeats_itself(preset: str, tmp_path: Path) -> None:
    config = resolve(preset, "wb").config
    file = write(tmp_path / "config.toml", tomli_w.dumps(config.model_dump(mode="json")))
    assert resolve(config_file=file).config == config


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


def test_a_blank_stage_of_a_file_counts(tmp_path: Path) -> None:
    """`wbtui config` says that values at their default may be left out: all of a stage's may be."""
    second = '[[stages]]\nname = "classifier"\ntrains = "classifier"\n'
    found = resolve(config_file=write(tmp_path / "two.toml", f"[[stages]]\n{second}"))
    assert [stage.name for stage in found.config.stages] == ["representation", "classifier"]
    assert found.origins == dict.fromkeys(["stages.1.name", "stages.1.trains"], str(tmp_path / "two.toml"))
    with pytest.raises(UsageError, match=r"stages\.1\.name = 'representation' is also the name of stages\.0"):
        resolve(config_file=write(tmp_path / "blank.toml", "[[stages]]\nepochs = 3\n[[stages]]\n"))
    over = resolve("digits_lt", "wb", write(tmp_path / "over.toml", "[[stages]]\n[[stages]]\nepochs = 3\n"))
    assert over.config.stages[1].epochs == 3
    assert over.config.stages[0] == resolve("digits_lt", "wb").config.stages[0]


@pytest.mark.parametrize("given", [("glyphs_lt", ""), ("digits_lt", "ce"), ("", "ce")])
def test_a_file_that_goes_before_another_preset_or_variant_is_refused_beside_it(
    tmp_path: Path, given: tuple[str, str]
) -> None:
    """Else a run of one method would be trained, and named, as asked for the other."""
    config = resolve("digits_lt", "wd").config
    file = write(tmp_path / "config.toml", tomli_w.dumps(config.model_dump(mode="json")))
    with pytest.raises(UsageError, match=r"^--(preset glyphs_lt|variant ce): .*config.toml says"):
        resolve(*given, file)
    assert resolve("digits_lt", "", file).config == resolve("", "wd", file).config == config


def test_a_key_of_every_stage_is_meant_in_each_also_from_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        resolve("digits_lt", "wb", write(tmp_path / "mine.toml", "bs = 16\n"))
    wanted = "stages.0.batch_size or stages.1.batch_size or evaluation.batch_size"
    assert str(caught.value) == f"{tmp_path / 'mine.toml'}: bs: no such key; did you mean {wanted}?"


def test_a_batch_larger_than_the_training_images_is_told() -> None:
    assert notices([resolve("digits_lt", "wb", settings=["stages.1.batch_size=281"]).config]) == [
        "stages.1.batch_size 281 is larger than the 280 training images: one batch an epoch"
    ]
    assert notices([resolve("digits_lt", "wb", settings=["stages.1.batch_size=280"]).config]) == []


def test_regularizing_the_features_of_a_frozen_net_is_told() -> None:
    setting = "stages.1.feature_regularization=0.01"
    (said,) = notices([resolve("digits_lt", "wb", settings=[setting]).config])
    assert "stages.1.feature_regularization = 0.01 with trains = 'classifier' acts on nothing" in said
    assert notices([resolve("digits_lt", "wd_fr").config]) == []


def test_ldam_whose_stage_is_over_before_it_re_weights_is_told() -> None:
    def said(*settings: str) -> list[str]:
        return notices([resolve("digits_lt", "ldam_drw", settings=settings).config])

    (told,) = said("stages.0.epochs=4")
    assert told.startswith("stages.0.loss.reweight_from = 0.8 never re-weights in 4 epochs: ")
    assert said("stages.0.epochs=5") == said("stages.0.epochs=4", "stages.0.loss.reweight_from=1") == []


def test_a_place_of_images_that_the_source_does_not_read_is_told() -> None:
    """Whoever forgets data.source trains on the embedded digits."""
    (told,) = notices([resolve("digits_lt", "wd", settings=["data.root=/data/mine.npz"]).config])
    assert told.startswith("data.root = '/data/mine.npz' is not read: digits is inside the package")
    assert notices([resolve("mnist_lt", "wd", settings=["data.root=/data/mine"]).config]) == []


def test_a_side_that_no_image_is_brought_to_is_told(tmp_path: Path) -> None:
    asked = ["data.image_size=32"]
    (told,) = notices([resolve("cifar10_lt", "wd", settings=asked).config])
    assert told.startswith("data.image_size = 32 is not heeded: images of cifar10 stay as they are")
    assert notices([resolve("glyphs_lt", "wd", settings=asked).config]) == []


def test_the_images_of_a_grid_are_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a million takes a while each time."""
    asked: list[DataConfig] = []
    monkeypatch.setattr("wbtui.notices.planned_images", asked.append)
    assert notices(resolve("digits_lt", options={"seed": seed}).config for seed in range(3)) == []
    assert len(asked) == 1


def test_labels_of_a_file_that_load_nothing_are_told(tmp_path: Path) -> None:
    """Else a run of all defaults goes by the name of the preset and the method."""
    file = read_layer(
        write(tmp_path / "mine.toml", 'preset = "digits_lt"\nvariant = "wb"\n[stages.0]\nepochs = 3\n')
    )
    (told,) = label_notices(file, "", "")
    assert "mine.toml: preset = 'digits_lt' and variant = 'wb': a label, which loads nothing" in told
    assert told.endswith("give --preset digits_lt --variant wb too")
    assert label_notices(file, "digits_lt", "")[0].endswith("give --variant wb too")
    assert label_notices(file, "digits_lt", "wb") == []
    whole = tomli_w.dumps(resolve("digits_lt", "wb", file).config.model_dump(mode="json"))
    assert label_notices(read_layer(write(tmp_path / "config.toml", whole)), "", "") == []
    assert label_notices(read_layer(write(tmp_path / "theirs.toml", 'preset = "theirs"\n')), "", "") == []


@pytest.mark.parametrize(("label", "instead"), [("preset", "extends"), ("variant", "default_variant")])
def test_a_label_in_the_place_of_what_a_preset_loads_is_refused(label: str, instead: str) -> None:
    write(Path("presets/mine.toml"), f'{label} = "wb"\n')
    with pytest.raises(UsageError, match=rf"mine.toml: {label} is a label, .*; expected {instead}"):
        resolve("mine")


def test_images_that_only_files_would_tell_of_are_not_counted(tmp_path: Path) -> None:
    there = ["data.source=npz", f"data.root={tmp_path / 'none.npz'}", "stages.0.batch_size=100000"]
    assert notices([resolve("digits_lt", "wd", settings=there).config]) == []


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


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="'digits_lt'"):
        resolve("digit_lt")
    with pytest.raises(UsageError, match="'wd_fr_etf'"):
        resolve("digits_lt", "wd_fr_eft")


def test_presets_of_the_working_folder_come_first_and_may_extend() -> None:
    write(Path("presets/mine.toml"), 'extends = "digits_lt"\n[stages.0]\nepochs = 2\n')
    config = resolve("mine").config
    assert (config.stages[0].epochs, config.stages[0].batch_size, config.variant) == (2, 64, "wd")
    assert load_preset("mine").place == "here"


def test_a_circle_of_presets_is_refused_with_its_path() -> None:
    write(Path("presets/a.toml"), 'extends = "b"\n')
    write(Path("presets/b.toml"), 'extends = "a"\n')
    with pytest.raises(UsageError, match="a -> b -> a"):
        resolve("a")
    write(Path("presets/digits_lt.toml"), 'extends = "digits_lt"\n')
    with pytest.raises(
        UsageError, match=r"digits_lt -> digits_lt; .* to extend one of them it needs another name"
    ):
        resolve("digits_lt")


def test_a_name_that_a_file_got_wrong_is_told_with_the_file() -> None:
    write(Path("presets/a.toml"), 'extends = "digit_lt"\n')
    with pytest.raises(UsageError, match=r"a\.toml: extends: no preset is called 'digit_lt' \(did you mean"):
        resolve("a")
    write(Path("presets/b.toml"), 'extends = "digits_lt"\ndefault_variant = "wdd"\n')
    with pytest.raises(UsageError, match=r"b\.toml: default_variant: no variant is called 'wdd'"):
        resolve("b")
    write(Path("presets/variants/c.toml"), 'extends = "wdd"\n')
    with pytest.raises(UsageError, match=r"c\.toml: extends: no variant is called 'wdd'"):
        resolve("digits_lt", "c")


def test_a_preset_may_not_tune_a_variant_that_is_not_there() -> None:
    write(Path("presets/mine.toml"), "[variants.wdd]\nseed = 1\n")
    with pytest.raises(UsageError, match=r"\[variants.wdd\].*'wd'"):
        resolve("mine", "wd")


@pytest.mark.parametrize(
    "text",
    ["seed = ", "seed = 1\nseed = 2", "a" * 2_000_000, "[" * 5000, f"seed = {'9' * 5000}"],
    ids=["no value", "a key twice", "one long word", "deep", "a number of 5,000 digits"],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, text: str) -> None:
    file = write(tmp_path / "broken.toml", text)
    with pytest.raises(UsageError, match=r"broken\.toml"):
        resolve(config_file=file)


def test_a_file_without_end_is_not_read_to_it() -> None:
    with pytest.raises(UsageError, match="/dev/zero: larger than 1000000 bytes; expected a TOML of settings"):
        resolve(config_file=Path("/dev/zero"))


def test_a_file_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbfseed = 3\r\n[data]\r\nclasses = 4\r\n")
    config = resolve(config_file=file).config
    assert (config.seed, config.data.classes) == (3, 4)


@pytest.mark.parametrize("key", ["extends", "summary", "default_variant"])
def test_a_preset_in_the_place_of_settings_is_told_for_what_it_is(tmp_path: Path, key: str) -> None:
    file = write(tmp_path / "mine.toml", f'{key} = "wd"\n[stages.0]\nepochs = 3\n')
    with pytest.raises(
        UsageError, match=rf"mine\.toml: {key}: no such key but in a preset or variant; expected"
    ):
        resolve("digits_lt", "", file)


def test_what_editors_and_macos_leave_beside_presets_is_none() -> None:
    write(Path("presets/.#mine.toml"), "")
    write(Path("presets/variants/._wd.toml"), "")
    assert not {".#mine", "._wd"} & {*preset_paths(), *variant_paths()}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        resolve(config_file=tmp_path / "none.toml")


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


def test_presets_are_toml_with_a_summary() -> None:
    for _, path in [*preset_paths().values(), *variant_paths().values()]:
        assert tomllib.loads(path.read_text("utf-8"))["summary"]
