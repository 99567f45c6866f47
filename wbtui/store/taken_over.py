"""How does a new run begin where a finished one has ended? With that one's epochs and its checkpoint."""

import errno
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from wbtui.store import atomic, bounded, jsonio
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.events import EventReader
from wbtui.store.format import (
    CHECKPOINT,
    EVENTS,
    FORMAT_VERSION,
    MATRICES,
    MAX_ARRAY,
    PROVENANCE,
    SERIES,
    Event,
)

_SAID_ONCE = {"define": "name", "stage": "stage", "epoch": "epoch", "checkpoint": ""}
"""Events that are taken over, and the field that tells of what each of them is; of checkpoints only the last stands."""

_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES})
"""What file systems say that cannot give a file a second name, or may not."""


def take_over(source: Path, folder: Path) -> None:
    """Put what a finished run has measured, and its checkpoint, into the folder of a run that nobody has begun.

    The trainer goes on from there as after a resume. Predictions, adjustments, notes, samples, and what the attempts of
    the source were, stay behind. The checkpoint is the same file under a second name where the file system has
    such: each run replaces its own.

    Args:
        source: the folder of the finished run; read as a stranger's.
        folder: the new run's folder.

    Raises:
        StoreReadError: something of the source is missing or cannot be read.
        StoreWriteError: the new folder cannot be written.
    """
    for below in (SERIES, MATRICES):
        found = bounded.names(source, below)
        if found:
            atomic.make_folder(folder / below)
        for name in found:
            _copy(source, folder, f"{below}/{name}", MAX_ARRAY)
    _take_checkpoint(source, folder)
    lines = (jsonio.encode(_as_json(number, event)) + b"\n" for number, event in enumerate(_standing(source)))
    atomic.write_bytes(folder / EVENTS, b"".join(lines))


def provenance_of(source: Path) -> dict[str, Any]:
    """What a run that takes over another says of it in provenance.json: which run, and what must be found again.

    Raises:
        StoreReadError: the source's provenance or events cannot be read.
    """
    try:
        recorded = bounded.read_json(source, PROVENANCE)
    except FileNotFoundError:
        recorded = {}
    kept = {key: recorded[key] for key in ("identity", "data") if key in recorded}
    epochs = sum(event.type == "epoch" for event in _standing(source))
    return kept | {"taken_over": {"run": source.resolve().name, "epochs": epochs}}


def _standing(source: Path) -> list[Event]:
    """What the source measured and what declares it, in order, and its last checkpoint; attempts left out."""
    kept: dict[tuple[str, str], Event] = {}
    for event in _events(source):
        word = _SAID_ONCE.get(event.type)
        if word is not None:  # what is said of the same once more, after a resume, goes before
            kept[event.type, str(event.fields.get(word))] = event
    return sorted(kept.values(), key=lambda event: event.seq)


def _events(source: Path) -> Iterable[Event]:
    reader, more = EventReader(source), True
    while more:
        batch = reader.poll()
        yield from batch.events
        more = batch.more


def _as_json(number: int, event: Event) -> dict[str, object]:
    return {"v": FORMAT_VERSION, "seq": number, "t": event.time, "type": event.type, **event.fields}


def _take_checkpoint(source: Path, folder: Path) -> None:
    """A checkpoint may have gigabytes, and a grid of second stages begins with the same one."""
    try:
        if not stat.S_ISREG((source / CHECKPOINT).lstat().st_mode):
            raise StoreReadError(f"{bounded.shown(source, CHECKPOINT)}: not a plain file")
        os.link(source / CHECKPOINT, folder / CHECKPOINT, follow_symlinks=False)
    except FileNotFoundError as error:
        raise StoreReadError(f"{bounded.shown(source, CHECKPOINT)}: it is not there") from error
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise StoreWriteError(folder / CHECKPOINT, error) from error
        _copy(source, folder, CHECKPOINT)


def _copy(source: Path, folder: Path, name: str, limit: int | None = None) -> None:
    with bounded.open_regular(source, name) as file:
        there = os.fstat(file.fileno()).st_size
        if limit is not None and there > limit:
            raise StoreReadError(f"{bounded.shown(source, name)}: {there} bytes; expected at most {limit}")
        with atomic.replacing(folder / name) as copy:
            shutil.copyfileobj(file, copy, 1 << 20)
