"""Which runs are there, a thousand of them in a blink?

runs/index.json, a TinyDB file, holds one row a run and only what the folders tell anyway. A row is read again when
its folder's signature changes. Whatever is wrong with the file, it is made anew from the folders.
"""

import hashlib
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from platformdirs import user_cache_path

from wbtui.errors import UsageError
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import CONFIG, DERIVED, EVENTS, LIVING, NOTES, PROCESS, RESULT
from wbtui.store.ids import check_runs_folder, file_not_folder
from wbtui.store.index_rows import INDEX, IndexRow, Signature, Stamp, read_rows, stamp
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary, broken, refresh_state, summarise
from wbtui.store.text import plain

_SIGNED = (EVENTS, RESULT, NOTES, PROCESS, CONFIG)
_CONFIG = slice(3 * _SIGNED.index(CONFIG), 3 * _SIGNED.index(CONFIG) + 3)
"""What of a signature is config.toml's."""
_SETTLED_A_POLL = 25
_SCAN_AFTER, _SCAN_EVERY = 4, 10  # polls; see _names
_MAKING_SECONDS = 5.0  # a folder that is being made has no config.toml for a moment


@dataclass(frozen=True)
class Listing:
    """The runs of a folder."""

    rows: tuple[RunSummary, ...]
    """Sorted by id, that is by time; a folder that cannot be read has a row that says why."""
    messages: tuple[str, ...] = ()
    """What a person should know about the index: rebuilt, and why; not writable."""
    by_id: Mapping[str, RunSummary] = field(default_factory=dict, compare=False, repr=False)
    """The rows by run id."""
    unsettled: tuple[RunSummary, ...] = field(default=(), compare=False, repr=False)
    """Those that may become others without anybody touching the folder."""


class RunIndex:
    """The runs of one folder. Not for several threads at once; several processes may have one each.

    Args:
        runs: The folder of runs.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.path = _index_path(runs)
        self._rows: dict[str, IndexRow] = {}
        self._open: dict[str, Run] = {}  # of runs that go on: their events are read on, not again
        self._stamp: Stamp = None
        self._listed = Listing(())
        self._places: dict[str, int] = {}
        self._next = 0
        self._names: dict[str, bool] = {}
        self._folder: Stamp = None
        self._unscanned = 0

    def recall(self) -> Listing | None:
        """The runs for a first picture: those that have ended as the index file has them, to be checked by `listing`.

        Returns:
            None where the index knows of none, or where there are runs that it does not know.

        Raises:
            UsageError: the folder of runs is there but cannot be listed, or is gone with runs that were listed before.
        """
        names = self._names_there()
        self._load([])
        if not self._rows or names.keys() - self._rows.keys():
            return None
        self._refresh({name: names[name] for name in names if not self._rows[name].summary.settled}, names)
        return self._list_anew(names, ())

    def listing(self) -> Listing:
        """All runs as they are now.

        Raises:
            UsageError: the folder of runs is there but cannot be listed, or is gone with runs that were listed before.
        """
        messages: list[str] = []
        names = self._names_there()
        self._load(messages)
        changed = self._refresh(names, names)
        gone = self._rows.keys() - names.keys()
        if changed or gone:
            self._save({name: self._rows[name] for name in changed}, gone, messages)
        return self._list_anew(names, messages)

    def poll(self, watched: Collection[str] = ()) -> Listing:
        """All runs again, for a screen that asks twice a second: new runs, those that go on, and some of the rest.

        A change in a run that has ended is seen within (ended runs / 25) polls; the file is written when a run
        ends or comes.

        Args:
            watched: Ids of runs in which every change is to be seen at once.

        Raises:
            UsageError: the folder of runs is there but cannot be listed, or is gone with runs that were listed before.
        """
        names = self._names_now()
        turn = self._listed.rows[self._next : self._next + _SETTLED_A_POLL]
        self._next = self._next + _SETTLED_A_POLL if turn else 0
        wanted = {row.id for row in (*turn, *self._listed.unsettled)}.union(watched)
        wanted |= names.keys() - self._rows.keys()
        known = self._rows.keys() & wanted
        changed = self._refresh({name: names[name] for name in wanted if name in names}, names)
        gone = self._rows.keys() - names.keys()
        worth = {
            name: self._rows[name]
            for name in changed
            if name not in known or self._rows[name].summary.settled
        }
        messages: list[str] = []
        if worth or gone:
            self._save(worth, gone, messages)
        if gone or not changed <= self._places.keys():
            return self._list_anew(names, messages)
        return self._list_again(changed, messages)

    def _names_now(self) -> dict[str, bool]:
        """What `_scan` finds; the folder is read when it changed, a few polls after that (its time of change is
        coarse), and now and then (what a link points to may change)."""
        folder = stamp(self.runs)
        if folder != self._folder:
            self._folder, self._unscanned = folder, -_SCAN_AFTER
        if self._unscanned <= 0 or self._unscanned >= _SCAN_EVERY:
            self._names, self._unscanned = self._names_there(), min(self._unscanned, 0)
        self._unscanned += 1
        return dict(self._names)

    def _names_there(self) -> dict[str, bool]:
        """As `_scan`; a folder that is gone with all its runs may come back, and they are not forgotten."""
        names = _scan(self.runs)
        if names is None and self._rows:
            raise UsageError(f"{plain(str(self.runs))}: this folder of runs is not there any more")
        return names or {}

    def _list_anew(self, names: Collection[str], messages: Collection[str]) -> Listing:
        by_id = {name: self._rows[name].summary for name in sorted(names) if name in self._rows}
        self._places = {name: place for place, name in enumerate(by_id)}
        unsettled = tuple(row for row in by_id.values() if not row.settled)
        self._listed = Listing(tuple(by_id.values()), tuple(dict.fromkeys(messages)), by_id, unsettled)
        return self._listed

    def _list_again(self, changed: Collection[str], messages: Collection[str]) -> Listing:
        """The listing before with these rows, at a cost that hardly grows with all the others."""
        before = self._listed
        if changed:
            rows, by_id = list(before.rows), dict(before.by_id)
            for name in changed:
                rows[self._places[name]] = by_id[name] = self._rows[name].summary
            unsettled = tuple(
                by_id[name]
                for name in dict.fromkeys([*(row.id for row in before.unsettled), *changed])
                if not by_id[name].settled
            )
            self._listed = Listing(tuple(rows), (), by_id, unsettled)
        return replace(self._listed, messages=tuple(dict.fromkeys(messages)))

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

    def _row(self, name: str, is_link: bool, before: IndexRow | None) -> IndexRow | None:
        if is_link:
            return IndexRow((), broken(self.runs / name, "a symbolic link, which is not followed"))
        signature = _signature(f"{self.runs}/{name}")
        try:
            same = before is not None and before.signature == signature
            # What could not be read is read again: a disk that answers again leaves no trace in the signature.
            if before is not None and same and not before.summary.unreadable:
                if before.summary.settled:
                    return before
                summary = refresh_state(before.summary)
                if summary.state not in LIVING:  # crashed with nobody to write it down
                    self._open.pop(name, None)
                return replace(before, summary=summary)
            folder = self.runs / name
            if (
                not same
                and not os.path.lexists(folder / CONFIG)
                and time.time() - folder.lstat().st_mtime < _MAKING_SECONDS
            ):
                return None
            run = self._open.pop(name, None) or Run(folder)
            same_config = before is not None and before.signature[_CONFIG] == signature[_CONFIG]
            summary = summarise(run, before.summary if before is not None and same_config else None)
            if summary.state in LIVING:
                self._open[name] = run
            return IndexRow(signature, summary)
        except FileNotFoundError:
            return None
        except OSError as error:  # the folder of runs may no longer be entered
            return IndexRow(signature, broken(self.runs / name, f"cannot be read: {error.strerror}"))

    def _load(self, messages: list[str]) -> None:
        there = stamp(self.path)
        if there is None or there == self._stamp:
            return
        try:
            found = read_rows(self.path, self.runs)
        except StoreReadError as error:
            messages.append(f"{INDEX} could not be used ({error}): rebuilt from the folders")
        except OSError as error:
            messages.append(f"{INDEX} is not used: {plain(str(error))}")
        else:
            self._stamp = there
            self._rows = found | {name: row for name, row in self._rows.items() if name not in found}

    def _save(self, changed: dict[str, IndexRow], gone: Collection[str], messages: list[str]) -> None:
        from wbtui.store.index_writing import update_rows  # with its libraries, a fifth of a first listing

        try:
            self._stamp = update_rows(self.path, self.runs, changed, gone, self._rows)
        except StoreWriteError as error:
            messages.append(f"{INDEX} could not be written: {plain(str(error))}")
        for name in gone:
            self._rows.pop(name, None)
            self._open.pop(name, None)


def _index_path(runs: Path) -> Path:
    if not runs.exists() or os.access(runs, os.W_OK | os.X_OK):
        return runs / INDEX
    name = hashlib.sha256(os.fsencode(runs.resolve())).hexdigest()[:16]
    return user_cache_path("wbtui") / "indexes" / f"{name}.json"


def _scan(runs: Path) -> dict[str, bool] | None:
    """Names that may be runs → whether they are links; None where there is no such folder."""
    try:
        with os.scandir(runs) as entries:
            return {
                entry.name: entry.is_symlink()
                for entry in entries
                if not entry.name.startswith(".") and entry.name != INDEX and _may_be_run(entry)
            }
    except FileNotFoundError:
        check_runs_folder(runs)
        return None
    except OSError as error:
        if isinstance(error, NotADirectoryError):
            raise file_not_folder(runs) from None
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
