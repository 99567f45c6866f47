"""How is the index file changed, by one process at a time and in one step?"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from filelock import Timeout
from tinydb import TinyDB
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import Storage

from wbtui.store import atomic
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.index_rows import (
    INDEX_VERSION,
    META,
    ROWS,
    IndexRow,
    Stamp,
    Tables,
    read_rows,
    read_tables,
    stamp,
)
from wbtui.store.lock import file_lock
from wbtui.store.summary_row import to_row

_LOCK_SECONDS = 10.0


class AtomicStorage(Storage):
    """TinyDB's file: opened on every read, replaced in one step on every write.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Tables | None:
        """The tables; None where there is no file. Raises StoreReadError for one that is broken."""
        return read_tables(self._path)

    def write(self, data: Tables) -> None:
        """Replace the file. Raises StoreWriteError."""
        atomic.write_json(self._path, data)


def update_rows(
    index: Path,
    runs: Path,
    changed: Mapping[str, IndexRow],
    gone: Iterable[str],
    known: Mapping[str, IndexRow],
) -> Stamp:
    """Put rows into the index, take others out.

    Args:
        index: The file.
        runs: The folder of runs.
        changed: Rows that are new or another now, by run id.
        gone: Ids of runs that were not there; those whose folder is there again stay.
        known: All rows; what the index is made of where it is missing or broken.

    Returns:
        The stamp of the file as this process left it.

    Raises:
        StoreWriteError: it cannot be written; why in words.
    """
    try:
        if index.parent != runs:  # in the user's cache
            index.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(index.with_name(f".{index.name}.lock"), _LOCK_SECONDS):
            try:
                rows = read_rows(index, runs)
            except (FileNotFoundError, StoreReadError):
                rows = dict(known)
            rows |= changed
            for name in gone:
                if not os.path.lexists(runs / name):
                    rows.pop(name, None)
            _write_rows(index, rows)
            return stamp(index)
    except Timeout:
        held = OSError(f"another process has held its lock for {_LOCK_SECONDS:.0f} s")
        raise StoreWriteError(index, held) from None
    except OSError as error:
        raise StoreWriteError(index, error) from error


def _write_rows(index: Path, rows: Mapping[str, IndexRow]) -> None:
    # Cached from read to close: one replacement, however many rows it touches.
    with TinyDB(index, storage=CachingMiddleware(AtomicStorage)) as database:  # type: ignore[no-untyped-call]
        database.drop_tables()
        database.table(META).insert({"version": INDEX_VERSION})
        database.table(ROWS).insert_multiple(
            {"signature": row.signature, "summary": to_row(row.summary)} for row in rows.values()
        )
