"""Images made in code: noisy characters of a 5x7 alphabet, turned, sheared, scaled and moved; any number.

The same bits on every machine: random bits come from PCG64's raw stream (which numpy keeps stable, unlike
the methods of its Generator), and pixels from single additions, multiplications, divisions and floors of
float64, which IEEE 754 fixes, never from sin, exp or sums whose order a processor chooses.
"""

import numpy as np
import numpy.typing as npt

from wbtui.catalog import SOURCES
from wbtui.config import DataConfig
from wbtui.data.source_images import AvailableData, Pixels, SourceImages, refuse_too_large
from wbtui.data.sources.glyph_alphabet import CHARACTERS, HEIGHT, WIDTH, bitmaps

_SEED = 20240507  # of the data, the same for every run
_BY_DEFAULT = SOURCES["glyphs"]
_TEST_PER_CLASS = 50
_CHUNK_PIXELS = 2**19  # rendered at a time: 4 MB in each array of coordinates

_TAN_HALF_TURN = 0.17632698070846498  # tan(10°): turns within ±20°
_SHEAR = 0.2
_CELL = (0.076, 0.12)  # side of one of the 5x7 cells, as a part of the image's side
_SHIFT = 0.07  # of the image's side, either way
_PAPER = (0.0, 90.0)
_CONTRAST = (70.0, 165.0)  # ink minus paper
_NOISE_SD = 20.0
_BYTES_MEAN, _BYTES_SD = 1020.0, 209.02153  # of 8 uniform bytes added: 8 * 127.5 and sqrt(8 (256² - 1) / 12)
_DRAWS = 7  # of an image, besides its noise

Floats = npt.NDArray[np.float64]


def available(config: DataConfig) -> AvailableData:
    """Always there: as many of each class as are asked for."""
    per_class = (config.images_per_class,) * _classes(config)
    return AvailableData("glyphs", "", per_class=per_class, channels=1, image_size=_size(config))


def read(config: DataConfig) -> SourceImages:
    """images_per_class train-file and test_per_class (0: 50) test images of each of the first classes.

    Image i of a class is the same however many are made.
    """
    classes, size = _classes(config), _size(config)
    tested = config.test_per_class or _TEST_PER_CLASS
    refuse_too_large(classes * (config.images_per_class + tested) * size * size, "glyphs")
    train = [glyph_images(k, 0, config.images_per_class, size) for k in range(classes)]
    test = [glyph_images(k, 1, tested, size) for k in range(classes)]
    return SourceImages(
        np.concatenate(train),
        np.repeat(np.arange(classes), config.images_per_class),
        np.concatenate(test),
        np.repeat(np.arange(classes), tested),
        tuple(CHARACTERS[:classes]),
    )


def _classes(config: DataConfig) -> int:
    return config.classes or _BY_DEFAULT.classes


def _size(config: DataConfig) -> int:
    return config.image_size or _BY_DEFAULT.image_size


def glyph_images(character: int, split: int, count: int, size: int) -> Pixels:
    """(count, 1, size, size): the first images of one character in one split (0 train file, 1 test)."""
    stream = np.random.PCG64(np.random.SeedSequence((_SEED, size, split, character)))
    bitmap = bitmaps()[character]
    chunk = max(1, _CHUNK_PIXELS // size**2)
    drawn = [
        _render(bitmap, stream.random_raw((min(chunk, count - start), _DRAWS + size * size)), size)
        for start in range(0, count, chunk)
    ]
    return np.concatenate(drawn)[:, None]


def _render(bitmap: Floats, bits: npt.NDArray[np.uint64], size: int) -> Pixels:
    """(n, size, size) pixels from (n, 7 + size²) random 64-bit words."""
    uniform = (bits[:, :_DRAWS] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    half_turn, shear, stretch, shift_x, shift_y, paper, contrast = uniform.T[:, :, None, None]
    # The tangent of half the angle turns with divisions alone: cos = (1 - t²)/(1 + t²), sin = 2t/(1 + t²).
    t = _between(-_TAN_HALF_TURN, _TAN_HALF_TURN, half_turn)
    cosine, sine = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
    cell = size * _between(*_CELL, stretch)
    centre = np.arange(size) + 0.5 - size / 2
    x = centre[None, None, :] - size * _between(-_SHIFT, _SHIFT, shift_x)
    y = centre[None, :, None] - size * _between(-_SHIFT, _SHIFT, shift_y)
    down = (cosine * y - sine * x) / cell
    across = (cosine * x + sine * y) / cell - _between(-_SHEAR, _SHEAR, shear) * down
    ink = _bilinear(bitmap, down + HEIGHT / 2, across + WIDTH / 2)
    # Eight bytes of a word added are near enough a normal distribution (Irwin-Hall, cut at ±4.9 sd).
    summed = bits[:, _DRAWS:].reshape(-1, size, size, 1).view(np.uint8).sum(-1, dtype=np.int64)
    noise = (summed - _BYTES_MEAN) * (_NOISE_SD / _BYTES_SD)
    grey = _between(*_PAPER, paper) + _between(*_CONTRAST, contrast) * ink + noise
    pixels: Pixels = np.clip(np.floor(grey + 0.5), 0, 255).astype(np.uint8)
    return pixels


def _between(low: float, high: float, uniform: Floats) -> Floats:
    return low + (high - low) * uniform


def _bilinear(bitmap: Floats, down: Floats, across: Floats) -> Floats:
    """Ink at fractional cell positions (cell centres at .5), 0 outside the bitmap."""
    padded = np.pad(bitmap, 2)
    row = np.clip(down + 1.5, 0.0, HEIGHT + 2.0)
    column = np.clip(across + 1.5, 0.0, WIDTH + 2.0)
    i, j = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    below, right = row - i, column - j
    flat, below_it = padded.ravel(), padded.shape[1]
    corner = i * below_it + j
    upper: Floats = flat[corner] * (1.0 - right) + flat[corner + 1] * right
    lower: Floats = flat[corner + below_it] * (1.0 - right) + flat[corner + below_it + 1] * right
    ink: Floats = upper * (1.0 - below) + lower * below
    return ink
