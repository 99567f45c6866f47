"""Which file does a configuration come from: presets, variants and files of somebody's own, one over the other?"""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from tests.config.written import write
from wbtui.errors import UsageError
from wbtui.presets import load_preset, preset_paths, resolve, variant_paths

PRESETS, VARIANTS = sorted(preset_paths()), sorted(variant_paths())


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


@pytest.mark.parametrize(("label", "instead"), [("preset", "extends"), ("variant", "default_variant")])
def test_a_label_in_the_place_of_what_a_preset_loads_is_refused(label: str, instead: str) -> None:
    write(Path("presets/mine.toml"), f'{label} = "wb"\n')
    with pytest.raises(UsageError, match=rf"mine.toml: {label} is a label, .*; expected {instead}"):
        resolve("mine")


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


def test_presets_are_toml_with_a_summary() -> None:
    for _, path in [*preset_paths().values(), *variant_paths().values()]:
        assert tomllib.loads(path.read_text("utf-8"))["summary"]
