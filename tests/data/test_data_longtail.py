"""Does loading give splits, statistics and a fingerprint that can be recomputed?"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from wbtui.config import DataConfig
from wbtui.data.available import available
from wbtui.data.longtail import SPLITS, load
from wbtui.errors import UsageError

CONFIG = DataConfig(imbalance_factor=10, many_above=50, few_below=10)


def test_splits_are_disjoint_and_follow_the_counts() -> None:
    data = load(CONFIG)
    assert torch.bincount(data.train_labels).tolist() == data.train_counts.tolist()
    assert torch.bincount(data.validation_labels).tolist() == [20] * 10
    train, validation, test = ({image.numpy().tobytes() for image in data.split(name)[0]} for name in SPLITS)
    assert not train & validation
    assert not train & test
    assert (data.many_above, data.few_below) == (50, 10)
    assert data.train_images.dtype == torch.uint8
    assert (data.channels, data.image_size) == (1, 8)


def test_the_full_rule_keeps_no_validation_images() -> None:
    data = load(CONFIG.model_copy(update={"split_rule": "full"}))
    assert data.validation_images.shape == (0, 1, 8, 8)
    assert data.train_counts[0] == 124


def test_mean_and_std_are_those_of_the_training_split() -> None:
    data = load(CONFIG)
    pixels = data.train_images.numpy() / 255
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-12)


def test_a_channel_that_never_varies_is_divided_by_1(tmp_path: object) -> None:
    path = f"{tmp_path}/flat.npz"
    images = np.full((8, 4, 4), 51, np.uint8)
    np.savez(path, x_train=images, y_train=np.arange(8) % 2, x_test=images, y_test=np.arange(8) % 2)
    data = load(DataConfig(source="npz", root=path, imbalance_factor=1, split_rule="full"))
    assert data.mean == (0.2,)
    assert data.std == (1.0,)


def test_given_mean_and_std_are_kept_and_must_fit_the_channels() -> None:
    given = CONFIG.model_copy(update={"mean": (0.5,), "std": (0.25,)})
    assert (load(given).mean, load(given).std) == ((0.5,), (0.25,))
    with pytest.raises(UsageError, match=r"data.mean has 3 channels, the images of digits have 1"):
        load(CONFIG.model_copy(update={"mean": (0.5,) * 3, "std": (0.25,) * 3}))


def test_the_fingerprint_is_that_of_pixels_and_labels() -> None:
    first = load(CONFIG)
    assert first.fingerprint == load(CONFIG.model_copy(update={"crop_padding": 0})).fingerprint
    assert len(first.fingerprint) == 64
    others = [
        load(CONFIG.model_copy(update=changed)).fingerprint
        for changed in (
            {"imbalance_factor": 9.0},
            {"split_rule": "full"},
            {"test_per_class": 49},
            {"classes": 9},
        )
    ]
    assert len({first.fingerprint, *others}) == 5


@pytest.mark.parametrize("changed", ["x_train", "x_test", "y_train", "y_test"])
def test_one_pixel_or_two_labels_give_another_fingerprint(tmp_path: object, changed: str) -> None:
    path = f"{tmp_path}/small.npz"
    images, labels = np.arange(12 * 16, dtype=np.uint8).reshape(12, 4, 4), np.arange(12) % 2
    arrays = {"x_train": images, "y_train": labels, "x_test": images[::-1], "y_test": labels}
    config = DataConfig(source="npz", root=path, imbalance_factor=1, split_rule="full")
    np.savez(path, **arrays)
    before = load(config).fingerprint
    other = arrays[changed].copy()
    if changed.startswith("x"):
        other[0, 0, 0] += 1
    else:
        other[:2] = other[1::-1]
    np.savez(path, **(arrays | {changed: other}))
    assert load(config).fingerprint != before


def test_only_the_first_classes_and_test_images_are_kept() -> None:
    glyphs = DataConfig(source="glyphs", images_per_class=30, imbalance_factor=2, test_per_class=7, classes=5)
    data = load(glyphs)
    assert data.class_names == tuple("ABCDE")
    assert torch.bincount(data.test_labels).tolist() == [7] * 5


def test_classes_and_test_images_beyond_those_asked_for_are_left_out(tmp_path: object) -> None:
    path = f"{tmp_path}/three.npz"
    images = np.zeros((9, 4, 4), np.uint8)
    test_labels = np.array([2, 0, 0, 0, 1, 1, 1, 1])
    np.savez(path, x_train=images, y_train=np.arange(9) % 3, x_test=images[:8], y_test=test_labels)
    config = DataConfig(source="npz", root=path, imbalance_factor=1, split_rule="full", classes=2)
    data = load(config)
    assert (data.class_names, data.classes) == (("0", "1"), 2)
    assert data.test_labels.tolist() == [0, 0, 0, 1, 1, 1, 1]  # no count given: the whole test set
    # Class 2 has one test image, which nobody asks for.
    assert load(config.model_copy(update={"test_per_class": 2})).test_labels.tolist() == [0, 0, 1, 1]


def test_a_test_set_that_is_too_small_names_the_class(tmp_path: object) -> None:
    path = f"{tmp_path}/small.npz"
    images = np.zeros((8, 4, 4), np.uint8)
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    np.savez(path, x_train=images, y_train=np.arange(8) % 2, x_test=images, y_test=labels)
    config = DataConfig(source="npz", root=path, imbalance_factor=1, split_rule="full", test_per_class=3)
    with pytest.raises(UsageError, match=r"class 1 \(1\) of npz has 2 test images"):
        load(config)
    assert len(load(config.model_copy(update={"test_per_class": 2})).test_labels) == 4


def test_asking_what_is_available_loads_no_torch() -> None:
    program = (
        "import sys; from wbtui.config import DataConfig;"
        "from wbtui.data.available import available, planned_splits;"
        "import wbtui.data.fetch;"
        "assert available(DataConfig()).ready; assert planned_splits(DataConfig(source='cifar10', root='x'));"
        "assert not {'torch', 'torchvision', 'PIL', 'textual'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("source", ["npz", "folder", "cifar10", "mnist"])
def test_a_place_that_cannot_be_looked_at_is_a_problem_and_no_error(source: str, tmp_path: Path) -> None:
    place = str(tmp_path / ("x" * 300))  # Python 3.14 takes it for one that is not there
    problem = available(DataConfig.model_validate({"source": source, "root": place})).problem
    assert place in problem
    assert "--data-root" in problem
