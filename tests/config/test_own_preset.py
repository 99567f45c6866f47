"""A preset for images of one's own: counted, valid as it is, and nothing written over."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wbtui.cli.main import main
from wbtui.data.available import planned_splits
from wbtui.errors import UsageError
from wbtui.launch.checks import check_runs
from wbtui.metrics import GROUP_NAMES, assign_groups
from wbtui.own_preset import group_bounds, own_images, own_preset, write_preset
from wbtui.presets import resolve


def npz(path: Path, counts: list[int], size: int = 8, channels: int = 1, test: int = 3) -> Path:
    labels = np.repeat(np.arange(len(counts)), counts)
    shape = (size, size) if channels == 1 else (size, size, channels)
    np.savez(
        path,
        x_train=np.zeros((len(labels), *shape), np.uint8),
        y_train=labels,
        x_test=np.zeros((test * len(counts), *shape), np.uint8),
        y_test=np.repeat(np.arange(len(counts)), test),
    )
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("counts", "channels", "expected"),
    [
        (
            [600, 250, 90, 60],
            3,
            {
                "profile": "natural",
                "validation_per_class": 15,
                "split_rule": "holdout",
                "horizontal_flip": True,
            },
        ),
        (
            [120, 120, 119],
            1,
            {
                "profile": "exponential",
                "imbalance_factor": 19.0,
                "validation_per_class": 20,
                "horizontal_flip": False,
            },
        ),
        ([40, 9, 2], 1, {"profile": "natural", "split_rule": "full"}),
        ([8, 8], 1, {"profile": "natural", "validation_per_class": 2}),
    ],
    ids=["long-tailed", "balanced", "tiny classes", "tiny set"],
)
def test_what_is_chosen_resolves_and_fits_the_images(
    here: Path, counts: list[int], channels: int, expected: dict[str, object]
) -> None:
    found = own_images(npz(here / "mine.npz", counts, channels=channels))
    chosen = own_preset(found)
    write_preset("mine", chosen.text)
    config = resolve("mine", "wb").config
    assert {key: getattr(config.data, key) for key in expected} == expected
    assert (config.data.root, config.model.name, config.data.crop_padding) == (
        str(here / "mine.npz"),
        "resnet8",
        1,
    )
    plan = planned_splits(config.data)
    assert plan == chosen.plan
    assert plan is not None
    groups = assign_groups(plan.train_counts, config.data.many_above, config.data.few_below)
    if len(set(plan.train_counts)) > 2:
        assert all(len(groups.classes(name)) for name in GROUP_NAMES)


@given(st.lists(st.integers(1, 3000), min_size=3, max_size=40))
def test_groups_are_thirds_or_the_fields_and_never_overlap(counts: list[int]) -> None:
    groups = assign_groups(counts, *group_bounds(counts))
    if len(set(counts)) == len(counts):
        assert all(len(groups.classes(name)) for name in GROUP_NAMES)


def test_the_fields_groups_stay_where_none_is_empty() -> None:
    assert group_bounds([500, 100, 20, 5]) == (100, 20)


@pytest.mark.parametrize("sizes", [(24,), (24, 30)], ids=["one size", "several"])
def test_a_folder_of_images(here: Path, sizes: tuple[int, ...]) -> None:
    for split, count in (("train", 9), ("test", 2)):
        for name in ("cat", "dog"):
            (here / "pets" / split / name).mkdir(parents=True)
            for number in range(count):
                size = sizes[number % len(sizes)]
                Image.new("L", (size, size)).save(here / "pets" / split / name / f"{number}.png")
    write_preset("pets", own_preset(own_images(Path("pets"))).text)
    config = resolve("pets", "wd").config
    assert config.data.source == "folder"
    assert config.data.image_size == (0 if len(sizes) == 1 else 32)
    assert not config.data.horizontal_flip
    assert config.model.name == "resnet20"


def test_few_validation_images_are_said_to_choose_by_chance(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(here / "rare.npz", [300, 90, 30, 6])
    assert main(["new-preset", "rare.npz"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "All over 4 validation images has a standard error of up to 25 points" in said
    assert own_preset(own_images(npz(here / "many.npz", [300, 200, 100, 90, 80]))).doubt == ""
    assert own_preset(own_images(npz(here / "none.npz", [300, 200, 100, 3]))).doubt == ""


def test_the_command_says_what_it_chose_and_what_to_type(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(here / "my set.npz", [300, 90, 30])
    assert main(["new-preset", "my set.npz"]) == 0
    said = capsys.readouterr().out
    assert "300 of the largest class" not in said  # some of them validate
    assert "293 of the largest class, 23 of the smallest" in said
    assert "1 Many, 1 Medium, 1 Few" in said
    assert "wbtui run --preset my_set --variant" in said
    assert (here / "presets" / "my_set.toml").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.npz"], "nothing.npz: no such file; expected a .npz with x_train"),
        (["mine.npz", "--name", "a/b"], "expected letters, digits"),
        (["mine.npz", "--name", "cifar10_lt"], "a preset is called 'cifar10_lt' already"),
        (["untested.npz"], "class 1 of npz has 0 test images"),
        ([".", "--name", "x"], "no folder train/"),
    ],
)
def test_what_cannot_be_is_one_message(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    npz(here / "mine.npz", [30, 9])
    with np.load(npz(here / "untested.npz", [30, 9])) as arrays:
        np.savez(here / "untested.npz", **{**arrays, "y_test": np.zeros_like(arrays["y_test"])})
    assert main(["new-preset", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not list(here.glob("presets/*"))


def test_images_that_no_preset_can_name_are_refused_and_leave_none(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npz(here / os.fsdecode(b"mine\xff.npz"), [30, 9])
    assert main(["new-preset", os.fsdecode(b"mine\xff.npz")]) == 2
    assert "mine<U+DCFF>.npz: expected a text that UTF-8 can write" in capsys.readouterr().err
    assert not list(here.glob("presets/*"))


def test_a_preset_that_the_disk_does_not_take_whole_is_not_left_half(here: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        write_preset("mine", "half \udcff")
    assert not list(here.glob("presets/*"))


@pytest.mark.parametrize(("classes", "third"), [(64, "wd_fr_etf"), (65, "wd_fr")])
def test_the_methods_to_begin_with_are_those_that_the_net_can_have(
    here: Path, classes: int, third: str
) -> None:
    chosen = own_preset(own_images(npz(here / "mine.npz", [12] * classes)))
    write_preset("mine", chosen.text)
    assert chosen.variants == ("ce", "wd", third)
    configs = [resolve("mine", name).config for name in ("wd_fr", "wd_fr_etf")]
    if third == "wd_fr_etf":
        check_runs(configs, lambda _: False)
    else:
        check_runs(configs[:1], lambda _: False)
        with pytest.raises(UsageError, match="resnet8 has 64, npz has 65 classes; expected another net"):
            check_runs(configs, lambda _: False)


def test_a_preset_is_never_written_over(here: Path) -> None:
    write_preset("mine", "# by hand")
    with pytest.raises(UsageError, match="already"):
        write_preset("mine", "")
    assert (here / "presets" / "mine.toml").read_text("utf-8") == "# by hand"
