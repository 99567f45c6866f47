"""What is allowed, but hardly meant: is it told, and only then?"""

from pathlib import Path

import pytest
import tomli_w

from tests.config.written import write
from wbtui.config import DataConfig
from wbtui.notices import label_notices, notices
from wbtui.presets import read_layer, resolve


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


def test_images_that_only_files_would_tell_of_are_not_counted(tmp_path: Path) -> None:
    there = ["data.source=npz", f"data.root={tmp_path / 'none.npz'}", "stages.0.batch_size=100000"]
    assert notices([resolve("digits_lt", "wd", settings=there).config]) == []


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
