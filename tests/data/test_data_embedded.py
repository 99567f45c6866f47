"""Are the embedded digits and the generated glyphs there, complete and the same everywhere?"""

import hashlib

import numpy as np
import pytest

from wbtui.config import DataConfig
from wbtui.data.available import available, planned_splits
from wbtui.data.longtail import load
from wbtui.data.sources import digits, glyphs
from wbtui.data.sources.glyph_alphabet import CHARACTERS, bitmaps
from wbtui.errors import UsageError

GLYPHS = DataConfig(source="glyphs", images_per_class=30)


def test_digits_split_off_the_last_50_images_of_each_class_as_test() -> None:
    source = digits.read(DataConfig())
    assert source.test_found() == [50] * 10
    assert source.train_found() == [128, 132, 127, 133, 131, 132, 131, 129, 124, 130]
    assert source.train_images.shape == (1297, 1, 8, 8)
    assert (source.train_images.min(), source.train_images.max()) == (0, 255)


def test_digits_keep_file_order_within_train_and_test() -> None:
    with np.load(digits.FILE) as file:
        whole, labels = file["images"], file["labels"]
    source = digits.read(DataConfig(test_per_class=3))
    for k in range(10):
        ink = whole[labels == k].astype(float)
        both = [source.train_images[source.train_labels == k], source.test_images[source.test_labels == k]]
        np.testing.assert_array_equal(np.round(np.concatenate(both)[:, 0] / 255 * 16), ink)
        assert len(both[1]) == 3


def test_digits_counts_are_known_without_reading() -> None:
    for tested in (0, 7):
        config = DataConfig(test_per_class=tested)
        assert available(config).per_class == tuple(digits.read(config).train_found())


def test_digits_refuse_a_test_set_that_leaves_nothing_to_train_on() -> None:
    config = DataConfig(test_per_class=174)
    assert "test_per_class = 174" in available(config).problem
    with pytest.raises(UsageError, match="smallest class of digits has 174"):
        load(config)


def test_the_digits_preset_of_50_test_and_20_validation_images_has_n_max_100() -> None:
    data = load(DataConfig(images_per_class=120, imbalance_factor=50))
    assert data.train_counts.tolist() == [100, 65, 42, 27, 18, 11, 7, 5, 3, 2]
    assert (len(data.validation_labels), len(data.test_labels)) == (200, 500)


def test_glyphs_are_the_same_bits_on_every_machine() -> None:
    pixels = b"".join(glyphs.glyph_images(k, split, 5, 16).tobytes() for k in range(36) for split in (0, 1))
    known = "3bbfcdc37d03d1b2045bbf83a353d6f4f9688aa4ea37074137ab61939d6e2857"
    assert hashlib.sha256(pixels).hexdigest() == known


def test_image_i_of_a_class_does_not_depend_on_how_many_are_made() -> None:
    few = glyphs.read(GLYPHS)
    many = glyphs.read(GLYPHS.model_copy(update={"images_per_class": 40, "classes": 25}))
    for k in range(20):
        np.testing.assert_array_equal(
            few.train_images[few.train_labels == k], many.train_images[many.train_labels == k][:30]
        )
    np.testing.assert_array_equal(glyphs.glyph_images(4, 1, 2005, 4)[:7], glyphs.glyph_images(4, 1, 7, 4))


def test_glyph_splits_share_no_image() -> None:
    source = glyphs.read(GLYPHS)
    images = np.concatenate([source.train_images, source.test_images]).reshape(-1, 256)
    assert len(np.unique(images, axis=0)) == len(images)


def test_glyphs_defaults_are_20_classes_of_16_pixels_and_50_test_images() -> None:
    source = glyphs.read(GLYPHS)
    assert source.train_images.shape == (600, 1, 16, 16)
    assert source.test_found() == [50] * 20
    assert source.class_names == tuple("ABCDEFGHIJKLMNOPQRST")
    assert available(GLYPHS).per_class == (30,) * 20


def test_glyphs_take_any_size_and_up_to_36_classes() -> None:
    config = DataConfig(source="glyphs", images_per_class=3, classes=36, image_size=24, test_per_class=1)
    source = glyphs.read(config)
    assert source.train_images.shape == (108, 1, 24, 24)
    assert len(source.class_names) == 36


def test_glyph_noise_has_the_stated_spread() -> None:
    """The outermost pixels carry no ink: what varies there within an image is noise alone."""
    images = glyphs.glyph_images(CHARACTERS.index("I"), 0, 2000, 16)[:, 0].astype(float)
    edge = images[:, :, [0, 15]].reshape(2000, -1)
    bright = edge[edge.mean(axis=1) > 70]  # where nothing is clipped at 0
    assert bright.std(axis=1, ddof=1).mean() == pytest.approx(20.0, abs=0.6)


def test_every_glyph_resembles_its_own_bitmap_most() -> None:
    """The mean image of a class, sampled at the cells of an upright bitmap, correlates best with that bitmap."""
    drawn = bitmaps().reshape(36, -1)
    assert drawn.shape == (36, 35)
    assert len(np.unique(drawn, axis=0)) == 36
    centre, cell = 20.0, 40 * 0.098
    rows = np.floor(centre + (np.arange(7) - 3) * cell).astype(int)
    columns = np.floor(centre + (np.arange(5) - 2) * cell).astype(int)
    means = np.stack([glyphs.glyph_images(k, 0, 150, 40)[:, 0].mean(axis=0) for k in range(36)])
    sampled = means[:, rows][:, :, columns].reshape(36, -1)
    correlation = np.corrcoef(sampled, drawn)[:36, 36:]
    assert (correlation.argmax(axis=1) == np.arange(36)).mean() > 0.9


def test_too_many_glyphs_for_the_memory_are_refused_before_they_are_drawn() -> None:
    with pytest.raises(UsageError, match="GiB are free"):
        load(DataConfig(source="glyphs", images_per_class=10**12, classes=36))


def test_planned_splits_foretell_the_loaded_counts() -> None:
    for config in (DataConfig(imbalance_factor=10), GLYPHS.model_copy(update={"imbalance_factor": 5.0})):
        plan = planned_splits(config)
        assert plan is not None
        assert list(plan.train_counts) == load(config).train_counts.tolist()
