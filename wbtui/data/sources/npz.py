"""A .npz file of the user's: x_train, y_train, x_test, y_test, perhaps class_names; other keys are ignored.

Such a file may come from anybody: nothing is unpickled, and what an array claims to hold is checked against
the file before memory is asked for.
"""

import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

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

KEYS = ("x_train", "y_train", "x_test", "y_test")

_NAMES = "class_names"
# What zipfile raises for bytes that are no archive, or no longer the one that was written.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    ValueError,
)
_DEFLATE_AT_BEST = 1032  # no deflate stream holds more than this many bytes in one of its own


def available(config: DataConfig) -> AvailableData:
    """Whether the file is there and sound as far as its headers, labels and class names tell."""
    path = _path(config)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        problem = f"{path}: {what}; expected a .npz with {', '.join(KEYS)} (data.root, --data-root)"
        return AvailableData("npz", str(path), missing=(path,), problem=problem)
    try:
        with _opened(path) as file:
            members = _members(file, path)
            channels, size = _layout(members["x_train"], path).channels_and_size
            train, test, names = _classes(file, members, path)
            named = f"{_NAMES}.npy" in file.namelist()
    except UsageError as error:
        return AvailableData("npz", str(path), problem=str(error))
    per_class, test_per_class = (
        tuple(np.bincount(labels, minlength=len(names)).tolist()) for labels in (train, test)
    )
    return AvailableData(
        "npz",
        str(path),
        per_class=per_class,
        test_per_class=test_per_class,
        class_names=names if named else (),
        channels=channels,
        image_size=size,
    )


def read(config: DataConfig) -> SourceImages:
    """The whole file."""
    path = _path(config)
    if not path.is_file():
        raise UsageError(available(config).problem)
    with _opened(path) as file:
        members = _members(file, path)
        refuse_too_large(sum(member.nbytes for member in members.values()), str(path))
        train_labels, test_labels, names = _classes(file, members, path)
        train, test = (_images(file, members[key], path) for key in ("x_train", "x_test"))
    return SourceImages(train, train_labels, test, test_labels, names)


@dataclass(frozen=True)
class _Member:
    """One array of the file, by its header alone."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    header: int
    """Bytes before the data."""

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class _Layout:
    """In which order an image array has its axes: (N, ...) to (N, channels, height, width)."""

    channels_last: bool
    channels_and_size: tuple[int, int]


def _path(config: DataConfig) -> Path:
    return path_of(config.root)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as file:
            yield file
    except _UNREADABLE as error:
        raise UsageError(
            f"{path}: not a .npz file, or an incomplete one ({error}); expected what numpy.savez or "
            "numpy.savez_compressed writes"
        ) from error
    except MemoryError as error:
        raise UsageError(f"{path}: its arrays do not fit into memory") from error


def _members(file: zipfile.ZipFile, path: Path) -> dict[str, _Member]:
    """The four arrays by their headers, which must agree with each other."""
    members = {key: _member(file, path, key) for key in KEYS}
    train, test = (_layout(members[key], path).channels_and_size for key in ("x_train", "x_test"))
    if train != test:
        raise UsageError(
            f"{path}: x_train has {train[0]} channels of side {train[1]}, x_test {test[0]} of {test[1]}; "
            "expected the same"
        )
    for kind in ("train", "test"):
        if not _is_flat(members[f"y_{kind}"]):
            raise _no_labels(members[f"y_{kind}"], path)
        images, labels = members[f"x_{kind}"].shape[0], math.prod(members[f"y_{kind}"].shape)
        if images != labels:
            raise UsageError(f"{path}: x_{kind} has {images} images, y_{kind} {labels} labels")
    return members


def _member(file: zipfile.ZipFile, path: Path, name: str) -> _Member:
    try:
        info = file.getinfo(f"{name}.npy")
    except KeyError:
        keys = ", ".join(printable(key.removesuffix(".npy")) for key in file.namelist()[:12]) or "nothing"
        raise UsageError(f"{path}: no array {name!r}, only {keys}; expected {', '.join(KEYS)}") from None
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UsageError(f"{path}: {name} is encrypted or compressed in an unusual way; expected numpy.savez")
    try:
        with file.open(info) as stream:
            version = np.lib.format.read_magic(stream)
            readers = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }
            if version not in readers:
                raise UsageError(f"{path}: {name} has .npy version {version}; expected 1.0 or 2.0")
            shape, fortran, dtype = readers[version](stream)
            header = stream.tell()
    except (ValueError, TypeError, SyntaxError, RecursionError, tokenize.TokenError) as error:
        raise UsageError(f"{path}: {name} has no readable .npy header ({error})") from error
    member = _Member(name, shape, dtype, fortran, header)
    if dtype.hasobject:
        raise UsageError(
            f"{path}: {name} holds pickled Python objects, which are never loaded; expected an array of "
            "numbers (class_names: of text, dtype U)"
        )
    claimed = header + member.nbytes
    if any(n < 0 for n in shape) or claimed != info.file_size:
        raise UsageError(
            f"{path}: {name} claims {claimed:,} bytes {shape}, the file holds {info.file_size:,}; it is "
            "damaged"
        )
    if info.file_size > info.compress_size * _DEFLATE_AT_BEST + 1024:
        raise UsageError(
            f"{path}: {name} claims {info.file_size:,} bytes out of {info.compress_size:,} compressed ones, "
            "more than can be; it is damaged"
        )
    return member


def _array(file: zipfile.ZipFile, member: _Member, path: Path) -> npt.NDArray[Any]:
    refuse_too_large(member.nbytes, f"{path}: {member.name}")
    with file.open(f"{member.name}.npy") as stream:
        data = stream.read()
    if len(data) != member.header + member.nbytes:
        raise UsageError(f"{path}: {member.name} ends after {len(data):,} bytes; the file is incomplete")
    flat = np.frombuffer(data, member.dtype, offset=member.header)
    return flat.reshape(member.shape, order="F" if member.fortran else "C")


def _labels(file: zipfile.ZipFile, member: _Member, path: Path, classes: int = 0) -> Labels:
    """Class ids, (N,). `classes`: how many there are; 0: as many as these ids say, each of which must be taken."""
    if member.dtype.kind not in "iu" or not _is_flat(member):
        raise _no_labels(member, path)
    if math.prod(member.shape) == 0:
        raise UsageError(f"{path}: {member.name} is empty; expected a class id for each image")
    labels = _array(file, member, path).reshape(-1)
    low, high = int(labels.min()), int(labels.max())
    if classes and high >= classes:
        raise UsageError(
            f"{path}: {member.name} has class {high}, y_train ends at {classes - 1}; expected the same classes"
        )
    if low < 0 or (high >= len(labels) and not classes):
        taken = "" if classes else ", each of them taken"
        raise UsageError(f"{path}: {member.name} has class ids from {low} to {high}; expected 0..C-1{taken}")
    if not classes and not np.bincount(labels.astype(np.int64)).all():
        empty = int(np.bincount(labels.astype(np.int64)).argmin())
        shifted = f" (they begin at {low}: subtract it)" if empty == 0 else ""
        raise UsageError(
            f"{path}: class {empty} has no image in y_train; expected ids 0..C-1, each of them taken{shifted}"
        )
    return labels.astype(np.int64)


def _is_flat(member: _Member) -> bool:
    """Whether it has the shape (N,), or (N, 1) as some tools write it."""
    return math.prod(member.shape) == (member.shape or (0,))[0]


def _no_labels(member: _Member, path: Path) -> UsageError:
    return UsageError(
        f"{path}: {member.name} is {member.dtype} {member.shape}; expected (N,) whole numbers, class ids"
    )


def _classes(
    file: zipfile.ZipFile, members: dict[str, _Member], path: Path
) -> tuple[Labels, Labels, tuple[str, ...]]:
    """Labels of train and test and the names of the classes, which must agree with each other."""
    train = _labels(file, members["y_train"], path)
    names = _class_names(file, path, int(train.max()) + 1)
    test = _labels(file, members["y_test"], path, len(names))
    return train, test, names


def _layout(member: _Member, path: Path) -> _Layout:
    shape = member.shape
    if shape[:1] == (0,):
        raise UsageError(f"{path}: {member.name} is empty; expected at least an image of each class")
    if member.dtype == np.uint8 and len(shape) in (3, 4) and min(shape) > 0:
        four = (*shape, 1) if len(shape) == 3 else shape
        if four[3] <= 4 and four[1] == four[2]:
            return _Layout(channels_last=True, channels_and_size=(four[3], four[1]))
        if four[1] <= 4 and four[2] == four[3]:
            return _Layout(channels_last=False, channels_and_size=(four[1], four[2]))
    raise UsageError(
        f"{path}: {member.name} is {member.dtype} {shape}; expected square uint8 images (N, S, S, channels), "
        "(N, channels, S, S) or (N, S, S) with 1 to 4 channels, values from 0 to 255"
    )


def _images(file: zipfile.ZipFile, member: _Member, path: Path) -> Pixels:
    layout = _layout(member, path)
    images: Pixels = _array(file, member, path)
    if images.ndim == 3:
        images = images[..., None]
    return images.transpose(0, 3, 1, 2) if layout.channels_last else images


def _class_names(file: zipfile.ZipFile, path: Path, classes: int) -> tuple[str, ...]:
    if f"{_NAMES}.npy" not in file.namelist():
        return tuple(str(k) for k in range(classes))
    member = _member(file, path, _NAMES)
    if member.dtype.kind not in "US" or member.shape != (classes,):
        raise UsageError(
            f"{path}: class_names is {member.dtype} {member.shape}; expected text, one for each of {classes} "
            "classes"
        )
    names = _array(file, member, path)
    if member.dtype.kind == "S":
        return tuple(printable(name.decode("utf-8", "replace")) for name in names.tolist())
    return tuple(printable(name) for name in names.tolist())
