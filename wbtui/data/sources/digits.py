"""The embedded digits: 1,797 real 8x8 images in the order of scikit-learn's copy (DIGITS_NOTICE.md)."""

from pathlib import Path

import numpy as np

from wbtui.config import DataConfig
from wbtui.data.profile import rank_within_class
from wbtui.data.source_images import AvailableData, Labels, SourceImages
from wbtui.errors import UsageError

FILE = Path(__file__).parent.parent / "embedded" / "digits.npz"
CLASSES = 10

_IMAGES_OF_EACH = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
_TEST_PER_CLASS = 50
_INK = 16  # the published pixels count ink in 4x4 blocks, 0..16


def available(config: DataConfig) -> AvailableData:
    """The images of each class that are left to train and validate beside the test images."""
    tested = _test_per_class(config)
    per_class = tuple(n - tested for n in _IMAGES_OF_EACH)
    problem = ""
    if min(per_class) < 1:
        problem = (
            f"data.test_per_class = {tested}: the smallest class of digits has {min(_IMAGES_OF_EACH)} images; "
            "expected fewer"
        )
        per_class = ()
    return AvailableData("digits", "", problem=problem, per_class=per_class, channels=1, image_size=8)


def read(config: DataConfig) -> SourceImages:
    """The last test_per_class (0: 50) images of each class test, the others are the train file."""
    found = available(config)
    if not found.ready:
        raise UsageError(found.problem)
    with np.load(FILE, allow_pickle=False) as file:
        ink, labels = file["images"], file["labels"].astype(np.int64)
    images = ((ink.astype(np.uint16) * 255 + _INK // 2) // _INK).astype(np.uint8)[:, None]
    tested = _from_the_end(labels) < _test_per_class(config)
    return SourceImages(
        images[~tested],
        labels[~tested],
        images[tested],
        labels[tested],
        tuple(str(digit) for digit in range(CLASSES)),
    )


def _test_per_class(config: DataConfig) -> int:
    return config.test_per_class or _TEST_PER_CLASS


def _from_the_end(labels: Labels) -> Labels:
    return rank_within_class(labels[::-1])[::-1]
