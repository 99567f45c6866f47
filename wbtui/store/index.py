"""Which runs are there, a thousand of them in a blink?

runs/index.json, a TinyDB file, holds one row a run and only what the folders tell anyway. A row is read again when
its folder's signature changes. Whatever is wrong with the file, it is made anew from the folders.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path
from tinydb import TinyDB
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import Storage

from wbtui.errors import UsageError
from wbtui.store import atomic, bounded, jsonio
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import CONFIG, DERIVED, EVENTS, LIVING, NOTES, PROCESS, RESULT
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary, broken, refresh_state, summarise
from wbtui.store.summary_row import from_row, to_row
from wbtui.store.text import plain

INDEX = "index.json"
INDEX_VERSION = 1
_MAX_INDEX = 256 << 20
_LOCK_SECONDS = 10.0
_SIGNED = (EVENTS, RESULT, NOTES, PROCESS, CONFIG)
_SETTLED_A_POLL = 100
_MAKING_SECONDS = 5.0  # a folder that is being made has no config.toml for a moment

Signature = tuple[int, ...]


class AtomicStorage(Storage):
    """TinyDB's file: opened on every read, replaced in one step on every write.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The tables; None where there is no file. Raises StoreReadError for one that is broken."""
        try:
            data = bounded.read_bytes(self._path.parent, self._path.name, _MAX_INDEX)
            tables = jsonio.decode(data)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise StoreReadError(f"not JSON: {plain(str(error))}") from error
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise StoreReadError("no tables in it")
        for table in tables.values():
            for key, row in table.items():
                if not (key.isascii() and key.isdigit() and len(key) < 16 and isinstance(row, dict)):
                    raise StoreReadError("a row without a number")
        return tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file. Raises StoreWriteError."""
        atomic.write_json(self._path, data)


@dataclass(frozen=True)
class _Row:
    signature: Signature
    summary: RunSummary


@dataclass(frozen=True)
class Listing:
    """The runs of a folder."""

    rows: tuple[RunSummary, ...]
    """Sorted by id, that is by time; a folder that cannot be read has a row that says why."""
    messages: tuple[str, ...] = ()
    """What a person should know about the index: rebuilt, and why; not writable."""


class RunIndex:
    """The runs of one folder. Not for several threads at once; several processes may have one each.

    Args:
        runs: The folder of runs.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.path = _index_path(runs)
        self._rows: dict[str, _Row] = {}
        self._open: dict[str, Run] = {}  # of runs that go on: their events are read on, not again
        self._stamp: tuple[int, ...] | None = None
        self._next = 0

    def listing(self) -> Listing:
        """All runs as they are now.

        Raises:
            UsageError: the folder of runs is there but cannot be listed.
        """
        messages: list[str] = []
        names = _scan(self.runs)
        self._load(messages, bool(names))
        changed = self._refresh(names, names)
        gone = self._rows.keys() - names.keys()
        if changed or gone:
            self._save({name: self._rows[name] for name in changed}, gone, messages)
        return self._as_listing(names, messages)

    def poll(self) -> Listing:
        """All runs again, for a screen that asks twice a second: new runs, those that go on, and some of the rest.

        A change in a run that has ended is seen within (ended runs / 100) polls; the file is written when a run
        ends or comes.

        Raises:
            UsageError: the folder of runs is there but cannot be listed.
        """
        names = _scan(self.runs)
        settled = sorted(name for name, row in self._rows.items() if row.summary.settled)
        turn = settled[self._next : self._next + _SETTLED_A_POLL]
        self._next = self._next + _SETTLED_A_POLL if turn else 0
        now = {
            name: names[name]
            for name in names
            if name not in self._rows or not self._rows[name].summary.settled
        }
        before = dict(self._rows)
        changed = self._refresh(now | {name: names[name] for name in turn if name in names}, names)
        gone = self._rows.keys() - names.keys()
        worth = {
            name: self._rows[name]
            for name in changed
            if name not in before or self._rows[name].summary.settled
        }
        messages: list[str] = []
        if worth or gone:
            self._save(worth, gone, messages)
        return self._as_listing(names, messages)

    def _as_listing(self, names: Iterable[str], messages: list[str]) -> Listing:
        rows = (self._rows[name].summary for name in sorted(names) if name in self._rows)
        return Listing(tuple(rows), tuple(dict.fromkeys(messages)))

    def _refresh(self, wanted: dict[str, bool], names: dict[str, bool]) -> set[str]:
        """Bring these rows up to date; the names of those whose row is another now."""
        changed = set()
        for name, is_link in list(wanted.items()):
            before = self._rows.get(name)
            after = self._row(name, is_link, before)
            if after is None:
                names.pop(name, None)
            elif after != before:
                self._rows[name] = after
                changed.add(name)
        return changed

    def _row(self, name: str, is_link: bool, before: _Row | None) -> _Row | None:
        folder = self.runs / name
        if is_link:
            return _Row((), broken(folder, "a symbolic link, which is not followed"))
        signature = _signature(os.fspath(folder))
        try:
            if before is not None and before.signature == signature:
                unchanging = before.summary.settled or before.summary.unreadable
                return before if unchanging else replace(before, summary=refresh_state(before.summary))
            if (
                not os.path.lexists(folder / CONFIG)
                and time.time() - folder.lstat().st_mtime < _MAKING_SECONDS
            ):
                return None
            run = self._open.pop(name, None) or Run(folder)
            summary = summarise(run)
            if summary.state in LIVING:
                self._open[name] = run
            return _Row(signature, summary)
        except FileNotFoundError:
            return None

    def _load(self, messages: list[str], expected: bool) -> None:
        stamp = _stamp(self.path)
        if stamp is not None and stamp == self._stamp:
            return
        if stamp is None:
            if expected:
                messages.append(f"{INDEX} was missing: rebuilt from the folders")
            return
        try:
            with FileLock(_lock(self.path), timeout=_LOCK_SECONDS):
                self._stamp = _stamp(self.path)
                found = _read_rows(self.path, self.runs)
            self._rows = found | {name: row for name, row in self._rows.items() if name not in found}
        except StoreReadError as error:
            messages.append(f"{INDEX} could not be used ({error}): rebuilt from the folders")
        except (OSError, Timeout) as error:
            messages.append(f"{INDEX} is not used: {_why(error)}")

    def _save(self, changed: dict[str, _Row], gone: Iterable[str], messages: list[str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(_lock(self.path), timeout=_LOCK_SECONDS):
                try:
                    rows = _read_rows(self.path, self.runs)
                except (FileNotFoundError, StoreReadError):
                    rows = dict(self._rows)
                rows |= changed
                for name in gone:
                    if not os.path.lexists(self.runs / name):
                        rows.pop(name, None)
                _write_rows(self.path, rows)
                self._stamp = _stamp(self.path)
        except (OSError, Timeout, StoreWriteError) as error:
            messages.append(f"{INDEX} could not be written: {_why(error)}")
        for name in gone:
            self._rows.pop(name, None)
            self._open.pop(name, None)


def _why(error: Exception) -> str:
    if isinstance(error, Timeout):
        return f"another process has held its lock for {_LOCK_SECONDS:.0f} s"
    return plain(str(error))


def _index_path(runs: Path) -> Path:
    if not runs.exists() or os.access(runs, os.W_OK | os.X_OK):
        return runs / INDEX
    name = hashlib.sha256(os.fsencode(runs.resolve())).hexdigest()[:16]
    return user_cache_path("wbtui") / "indexes" / f"{name}.json"


def _lock(index: Path) -> Path:
    return index.with_name(f".{index.name}.lock")


def _stamp(path: Path) -> tuple[int, ...] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _scan(runs: Path) -> dict[str, bool]:
    """Names that may be runs → whether they are links."""
    try:
        with os.scandir(runs) as entries:
            return {
                entry.name: entry.is_symlink()
                for entry in entries
                if not entry.name.startswith(".") and entry.name != INDEX and _may_be_run(entry)
            }
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{plain(str(runs))}: cannot be listed: {error.strerror}") from error


def _may_be_run(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return True


def _signature(folder: str) -> Signature:
    found: list[int] = []
    for name in _SIGNED:
        try:
            status = os.lstat(f"{folder}/{name}")
        except OSError:
            found += (-1, -1, -1)
        else:
            found += (status.st_size, status.st_mtime_ns, status.st_mode)
    try:
        found.append(os.lstat(f"{folder}/{DERIVED}").st_mtime_ns)
    except OSError:
        found.append(-1)
    return tuple(found)


def _database(index: Path) -> TinyDB:
    # Cached from read to close: one replacement an operation, however many rows it touches.
    return TinyDB(index, storage=CachingMiddleware(AtomicStorage))  # type: ignore[no-untyped-call]


def _read_rows(index: Path, runs: Path) -> dict[str, _Row]:
    """Rows by run id; call under the lock. A row that makes no sense is left out, and so read from its folder.

    Raises:
        FileNotFoundError: no index.
        StoreReadError: broken, or of another version.
    """
    if not os.path.lexists(index):
        raise FileNotFoundError(index)
    with _database(index) as database:
        version = [row.get("version") for row in database.table("meta").all()]
        if version != [INDEX_VERSION]:
            raise StoreReadError(f"version {plain(str(version))[:40]}, expected {INDEX_VERSION}")
        rows: dict[str, _Row] = {}
        for stored in database.table("runs").all():
            signature = stored.get("signature")
            if isinstance(signature, list) and all(type(item) is int for item in signature):
                with contextlib.suppress(ValueError):
                    summary = from_row(stored.get("summary"), runs)
                    rows[summary.id] = _Row(tuple(signature), summary)
    return rows


def _write_rows(index: Path, rows: dict[str, _Row]) -> None:
    """Replace the index; call under the lock."""
    with _database(index) as database:
        database.drop_tables()
        database.table("meta").insert({"version": INDEX_VERSION})
        database.table("runs").insert_multiple(
            {"signature": row.signature, "summary": to_row(row.summary)} for row in rows.values()
        )
