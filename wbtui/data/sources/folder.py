"""A folder of the user's: train/ and test/, a sub-folder a class, small image files in it."""

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wbtui.config import DataConfig
from wbtui.data.source_images import (
    AvailableData,
    Labels,
    Pixels,
    SourceImages,
    path_of,
    printable,
    refuse_too_large,
)
from wbtui.errors import UsageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".webp", ".tif", ".tiff")

_GREY_MODES = ("1", "L", "LA")
_DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L")
# What pillow raises for bytes that are no image, or the beginning of one.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error)
_MOST_PIXELS = 2**24  # of one file: an image of 10 kB may claim gigapixels


def available(config: DataConfig) -> AvailableData:
    """Whether train/ and test/ are there with the same classes; counts files, opens none."""
    root = path_of(config.root)
    missing = tuple(root / split for split in ("train", "test") if not (root / split).is_dir())
    if missing:
        problem = (
            f"{root}: no folder {' and no folder '.join(path.name + '/' for path in missing)}; expected "
            "train/ and test/ with a sub-folder a class (data.root, --data-root)"
        )
        return AvailableData("folder", str(root), missing=missing, problem=problem)
    try:
        train, test = _listed(root)
    except (UsageError, OSError) as error:
        return AvailableData("folder", str(root), problem=str(error))
    per_class, test_per_class = (tuple(len(split[name]) for name in train) for split in (train, test))
    return AvailableData(
        "folder",
        str(root),
        per_class=per_class,
        test_per_class=test_per_class,
        class_names=tuple(printable(name) for name in train),
        image_size=config.image_size,
    )


def size_and_channels(config: DataConfig) -> tuple[int, int]:
    """Side in pixels and channels that all images have, or are brought to, from their headers.

    Raises:
        UsageError: Images differ in size, and no side is given; or one cannot be read.
    """
    form = _form(_files(*_listed(path_of(config.root))), config.image_size)
    return form.size, form.channels


def read(config: DataConfig) -> SourceImages:
    """Every image: classes by name, files by name; RGB where one of them has colour, else grey."""
    found = available(config)
    if not found.ready:
        raise UsageError(found.problem)
    train, test = _listed(path_of(config.root))
    files = _files(train, test)
    form = _form(files, config.image_size)
    refuse_too_large(len(files) * form.channels * form.size**2, found.place)
    names = list(train)
    return SourceImages(
        *_read_split(train, names, form), *_read_split(test, names, form), tuple(printable(n) for n in names)
    )


@dataclass(frozen=True)
class _Form:
    """What all images of the folder become."""

    size: int
    channels: int


def _listed(root: Path) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    train, test = (
        {
            folder.name: sorted(p for p in folder.iterdir() if _is_image(p.name))
            for folder in sorted((root / split).iterdir())
            if folder.is_dir() and not folder.name.startswith(".")
        }
        for split in ("train", "test")
    )
    if not train:
        raise UsageError(f"{root / 'train'}: no sub-folder; expected one for each class")
    if unknown := sorted(set(test) - set(train)):
        raise UsageError(
            f"{root / 'test' / unknown[0]}: train/ has no such class; expected the same sub-folders"
        )
    for split, classes in (("train", train), ("test", test)):
        for name in train:
            if not classes.get(name):
                raise UsageError(
                    f"{root / split / name}: no image; expected files ending in {', '.join(SUFFIXES)}"
                )
    return train, test


def _is_image(name: str) -> bool:
    """By its suffix, unless it is hidden: macOS lays ._cat.png, which is none, beside cat.png on foreign disks."""
    return Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _files(*splits: dict[str, list[Path]]) -> list[Path]:
    return [path for split in splits for paths in split.values() for path in paths]


def _form(files: list[Path], image_size: int) -> _Form:
    """The size and channels of all images, from their headers."""
    first, colour = (0, 0), False
    for path in files:
        width, height, mode = _header(path)
        colour = colour or mode not in _GREY_MODES
        first = first if first[0] else (width, height)
        if not image_size and (width, height) != first:
            raise UsageError(
                f"{path}: {width} x {height} pixels, {files[0].name} has {first[0]} x {first[1]}; expected "
                "images of one size, or the side to resize them to (data.image_size)"
            )
    if not image_size and first[0] != first[1]:
        raise UsageError(
            f"{files[0]}: {first[0]} x {first[1]} pixels; expected square images, or the side to resize them "
            "to (data.image_size)"
        )
    return _Form(image_size or first[0], 3 if colour else 1)


def _header(path: Path) -> tuple[int, int, str]:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                size, mode = image.size, image.mode
    except (*_UNREADABLE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UsageError(f"{path}: not an image that can be read ({error})") from error
    if size[0] * size[1] > _MOST_PIXELS:
        raise UsageError(
            f"{path}: {size[0]} x {size[1]} pixels; expected small images, {_MOST_PIXELS:,} pixels at most"
        )
    if mode in _DEEP_MODES:
        raise UsageError(f"{path}: more than 8 bits a pixel ({mode}); expected 8 bits a channel")
    return *size, mode


def _read_split(classes: dict[str, list[Path]], names: list[str], form: _Form) -> tuple[Pixels, Labels]:
    files = [path for name in names for path in classes[name]]
    images = np.empty((len(files), form.channels, form.size, form.size), np.uint8)
    for i, path in enumerate(files):
        images[i] = _pixels(path, form)
    return images, np.repeat(np.arange(len(names)), [len(classes[name]) for name in names])


def _pixels(path: Path, form: _Form) -> Pixels:
    """(channels, size, size); an image that is not square is stretched, antialiased where it shrinks."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB" if form.channels == 3 else "L")
    except _UNREADABLE as error:
        raise UsageError(f"{path}: not an image that can be read ({error})") from error
    if image.size != (form.size, form.size):
        image = image.resize((form.size, form.size), Image.Resampling.BILINEAR)
    pixels: Pixels = np.asarray(image).reshape(form.size, form.size, form.channels)
    return pixels.transpose(2, 0, 1)
