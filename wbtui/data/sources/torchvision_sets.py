"""CIFAR and MNIST through torchvision's own classes: are their files there, and how do they get there?"""

import http.client
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from filelock import FileLock

from wbtui.config import DataConfig
from wbtui.data.source_images import AvailableData, Labels, Pixels, SourceImages, path_of
from wbtui.errors import UsageError

# What torchvision raises for absent networks and damaged files.
_UNREADABLE = (
    RuntimeError,
    ValueError,
    AssertionError,
    KeyError,
    EOFError,
    OSError,
    http.client.HTTPException,
)


@dataclass(frozen=True)
class _Set:
    """What torchvision knows of a set, written down so that asking for its files needs no torch."""

    torchvision_class: str
    folder: str
    """Of the files that are read, under the root."""

    files: dict[str, int]
    """The files that are read, with their bytes; 0: torchvision checks their md5."""

    archives: dict[str, int]
    """What is downloaded, relative to the root, with its bytes."""

    per_class: tuple[int, ...]
    test_per_class: tuple[int, ...]
    channels: int
    image_size: int


_IDX = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}


def _idx_set(
    name: str, archive_bytes: tuple[int, ...], per_class: tuple[int, ...], test_per_class: tuple[int, ...]
) -> _Set:
    folder = f"{name}/raw"
    archives = {f"{folder}/{file}.gz": n for file, n in zip(_IDX, archive_bytes, strict=True)}
    return _Set(name, folder, _IDX, archives, per_class, test_per_class, channels=1, image_size=28)


_SETS = {
    "cifar10": _Set(
        "CIFAR10",
        "cifar-10-batches-py",
        dict.fromkeys([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"], 0),
        {"cifar-10-python.tar.gz": 170_498_071},
        (5000,) * 10,
        (1000,) * 10,
        channels=3,
        image_size=32,
    ),
    "cifar100": _Set(
        "CIFAR100",
        "cifar-100-python",
        dict.fromkeys(["train", "test", "meta"], 0),
        {"cifar-100-python.tar.gz": 169_001_437},
        (500,) * 100,
        (100,) * 100,
        channels=3,
        image_size=32,
    ),
    "mnist": _idx_set(
        "MNIST",
        (9_912_422, 28_881, 1_648_877, 4_542),
        (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
        (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ),
    "fashion_mnist": _idx_set(
        "FashionMNIST", (26_421_880, 29_515, 4_422_102, 5_148), (6000,) * 10, (1000,) * 10
    ),
}


def root_folder(config: DataConfig) -> Path:
    """Where the files of the torchvision sources lie: data.root, or `datasets` in the user's cache."""
    return path_of(config.root) if config.root else platformdirs.user_cache_path("wbtui") / "datasets"


def available(config: DataConfig) -> AvailableData:
    """Whether the files, or the archives that hold them, are there and complete."""
    known, root = _SETS[config.source], root_folder(config)
    missing = () if _whole(root / known.folder, known.files) else _lacking(root, known.archives)
    problem = ""
    if root.is_file():
        problem = (
            f"{config.source}: {root} is a file; expected the folder of {', '.join(known.archives)} (data.root, "
            "--data-root); if it is an .npz of the images, give --set data.source=npz beside it"
        )
    elif missing:
        size = sum(known.archives.values()) / 1e6
        problem = (
            f"{config.source}: {root} lacks {', '.join(str(path.relative_to(root)) for path in missing)}, or "
            f"has it incomplete (unpacked: {', '.join(known.files)} in {root / known.folder}); give "
            f"--download ({size:.0f} MB), put it there, or say where it is with --data-root"
        )
    return AvailableData(
        config.source,
        str(root),
        missing=missing,
        downloadable=not root.is_file(),
        problem=problem,
        per_class=known.per_class,
        test_per_class=known.test_per_class,
        channels=known.channels,
        image_size=known.image_size,
    )


def read(config: DataConfig) -> SourceImages:
    """The whole set; archives are unpacked first where only they are there."""
    found = available(config)
    if not found.ready:
        raise UsageError(found.problem)
    known, root = _SETS[config.source], root_folder(config)
    remedy = (
        f"if a file there is damaged, delete {root / known.folder} and {', '.join(known.archives)}, and give "
        "--download"
    )
    with _explained(f"{config.source} cannot be read from {root}", remedy), _alone(config):
        if not _whole(root / known.folder, known.files):
            _refuse_damaged_archives(config)
            _unpack(config)
        train, test = (_dataset(config, train=split) for split in (True, False))
        classes = tuple(str(name) for name in train.classes)
        return SourceImages(*_arrays(train, known), *_arrays(test, known), classes)


def fetch(config: DataConfig) -> None:
    """Download what is missing of the set, with torchvision's progress display, and unpack it.

    Raises:
        UsageError: No network, no room, or a damaged download.
    """
    known, root = _SETS[config.source], root_folder(config)
    remedy = f"put {', '.join(known.archives)} into {root} yourself, or say where they are with --data-root"
    with _explained(f"{config.source} could not be downloaded to {root}", remedy):
        root.mkdir(parents=True, exist_ok=True)
        with _alone(config):
            if not _whole(root / known.folder, known.files):
                _unpack(config)


@contextmanager
def _alone(config: DataConfig) -> Iterator[None]:
    """Of several runs that start together one unpacks, the others wait; nobody does in a read-only root."""
    root = root_folder(config)
    if not os.access(root, os.W_OK):
        yield
        return
    with FileLock(root / f".{config.source}.lock"):
        yield


def _unpack(config: DataConfig) -> None:
    """Have torchvision unpack its archives, downloading those that are missing or fail their md5."""
    known, root = _SETS[config.source], root_folder(config)
    for name, nbytes in known.files.items():
        path = root / known.folder / name
        if nbytes and path.is_file() and path.stat().st_size != nbytes:
            path.unlink()  # torchvision would take the torn file for the whole one
    _dataset(config, train=True, download=True)


def _refuse_damaged_archives(config: DataConfig) -> None:
    """torchvision downloads anew what fails its md5, which without permission must not come so far."""
    from wbtui.data.torchvision_import import torchvision_module

    known, root = _SETS[config.source], root_folder(config)
    check = torchvision_module("datasets.utils").check_integrity
    kind = getattr(torchvision_module("datasets"), known.torchvision_class)
    for archive in known.archives:
        md5 = dict(kind.resources)[Path(archive).name] if hasattr(kind, "resources") else kind.tgz_md5
        if not check(root / archive, md5):
            raise UsageError(
                f"{root / archive} is damaged (its md5 differs from torchvision's); delete it and give "
                "--download"
            )


def _dataset(config: DataConfig, train: bool, download: bool = False) -> Any:
    from wbtui.data.torchvision_import import torchvision_module

    kind = getattr(torchvision_module("datasets"), _SETS[config.source].torchvision_class)
    return kind(root=root_folder(config), train=train, download=download)


def _arrays(dataset: Any, known: _Set) -> tuple[Pixels, Labels]:
    """(N, channels, size, size) and (N,): CIFAR comes as (N, 32, 32, 3) and a list, MNIST as tensors."""
    pixels: Pixels = np.asarray(dataset.data)
    labels = np.asarray(dataset.targets, np.int64)
    pixels = pixels.reshape(-1, known.image_size, known.image_size, known.channels).transpose(0, 3, 1, 2)
    if len(pixels) != len(labels) or labels.min() < 0 or labels.max() >= len(known.per_class):
        raise ValueError(f"{len(pixels)} images, {len(labels)} labels {labels.min()}..{labels.max()}")
    return pixels, labels


@contextmanager
def _explained(what: str, remedy: str) -> Iterator[None]:
    """Turn what torchvision raises for absent networks and damaged files into one message."""
    try:
        yield
    except _UNREADABLE as error:
        raise UsageError(
            f"{what} ({' '.join(str(error).split()) or type(error).__name__}); {remedy}"
        ) from error


def _whole(folder: Path, files: dict[str, int]) -> bool:
    return not _lacking(folder, files)


def _lacking(folder: Path, files: dict[str, int]) -> tuple[Path, ...]:
    def whole(path: Path, nbytes: int) -> bool:
        return path.is_file() and nbytes in (0, path.stat().st_size)

    return tuple(folder / name for name, nbytes in files.items() if not whole(folder / name, nbytes))
