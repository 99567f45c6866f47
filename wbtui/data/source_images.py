"""What does a source of images tell before it is read, and what does it hand over? numpy only."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from wbtui.errors import UTF8, UsageError

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

_NAME_LENGTH = 80


@dataclass(frozen=True)
class AvailableData:
    """Whether the files of a source are there, and what can be known of them without reading the images."""

    source: str
    """Name of the source."""

    place: str
    """File or folder of the images; empty for what is embedded."""

    missing: tuple[Path, ...] = ()
    """Files that are not there."""

    downloadable: bool = False
    """Whether a download would bring the missing files."""

    problem: str = ""
    """Why the source cannot be read, and what to do; empty: it can."""

    per_class: tuple[int, ...] = ()
    """Images of each class in the train file; empty: only reading tells."""

    test_per_class: tuple[int, ...] = ()
    """Images of each class in the test file; empty: only reading tells, or there are as many as are asked for."""

    class_names: tuple[str, ...] = ()
    """Names of the classes, for messages; empty: they have none but their numbers, or only reading tells."""

    channels: int = 0
    """Channels of an image; 0: only reading tells."""

    image_size: int = 0
    """Side of an image in pixels; 0: only reading tells."""

    @property
    def ready(self) -> bool:
        """Whether the source can be read now, without a download."""
        return not self.problem


@dataclass(frozen=True, eq=False)
class SourceImages:
    """A source as read: square images in file order. Immutable by agreement: arrays are never written to."""

    train_images: Pixels
    """(N, channels, size, size)."""

    train_labels: Labels
    """(N,) class ids 0..C-1."""

    test_images: Pixels
    """(M, channels, size, size)."""

    test_labels: Labels
    """(M,) class ids 0..C-1."""

    class_names: tuple[str, ...]
    """C names, printable and short."""

    def train_found(self) -> list[int]:
        """Images of each class in the train file."""
        return _found(self.train_labels, len(self.class_names))

    def test_found(self) -> list[int]:
        """Images of each class in the test file."""
        return _found(self.test_labels, len(self.class_names))


def _found(labels: Labels, classes: int) -> list[int]:
    counts: list[int] = np.bincount(labels, minlength=classes).tolist()
    return counts


def printable(name: str) -> str:
    """A class name from a file as it may be stored and shown: one line, no control characters, 80 at most."""
    return "".join(c if c.isprintable() else "?" for c in name)[:_NAME_LENGTH]


def path_of(root: str) -> Path:
    """Where data.root is; the ~ of nobody stays as it is, and is no file."""
    try:
        return Path(root).expanduser()
    except RuntimeError:
        return Path(root)


def absolute_path(root: str) -> Path:
    """Where data.root is, from everywhere, as a configuration can name it.

    Raises:
        UsageError: its name, or the working folder's, is none that UTF-8 can write.
    """
    place = path_of(root).absolute()
    try:
        str(place).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{place}: {UTF8}, for it is to stand in a configuration; rename the folder"
        ) from None
    return place


def refuse_too_large(nbytes: int, where: str) -> None:
    """Raise UsageError where images of that many bytes would not fit into the memory that is free."""
    free = psutil.virtual_memory().available
    if nbytes > free:
        raise UsageError(
            f"{where}: its images would take {nbytes / 2**30:,.1f} GiB of memory and {free / 2**30:,.1f} GiB "
            "are free; expected a smaller set (images live in memory as a whole)"
        )
