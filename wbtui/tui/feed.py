"""Who reads the files? One thread, twice a second, so that the screen never waits for a disk."""

import threading
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, replace
from pathlib import Path

from wbtui.errors import UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.index import Listing, RunIndex
from wbtui.store.reader import Run
from wbtui.store.summary import RunSummary
from wbtui.store.text import plain
from wbtui.tui.detail import Follower
from wbtui.tui.files import FilesReader
from wbtui.tui.lines import LIVING
from wbtui.tui.machine import MachineSampler
from wbtui.tui.snapshots import NO_WORKER, PAUSED, RunDetail, RunFiles, Snapshot, other_rows

POLL_SECONDS = 0.5
_CHECK_SECONDS = 0.1  # after the first picture, which takes ended runs as the index has them
_EVIDENCE_SECONDS = 2.0
_WORKER_SECONDS = (
    5.0  # without a worker until that is said: one that was just asked for takes a second to come
)
_KEPT = 64  # runs that stay read when nobody looks at them any more


@dataclass(frozen=True)
class Wanted:
    """What the screen looks at."""

    runs: tuple[str, ...] = ()
    """Ids of the runs to follow in detail."""
    metrics: frozenset[str] = frozenset()
    """Vector and matrix metrics that are drawn."""
    files: str = ""
    """Id of the run whose configuration, log and samples are read; empty: none."""


class Feed:
    """Reads a runs folder in a thread of its own.

    Args:
        runs: The folder of runs; it may come into being later.
        on_snapshot: Called in that thread with what stands now, when something changed.
        on_message: Called in that thread with what a person should know about the index.
    """

    def __init__(
        self, runs: Path, on_snapshot: Callable[[Snapshot], None], on_message: Callable[[str], None]
    ) -> None:
        self._runs = runs
        self._on_snapshot, self._on_message = on_snapshot, on_message
        self._index = RunIndex(runs)
        self._followers: dict[str, Follower] = {}
        self._reader: FilesReader | None = None
        self._wanted = Wanted()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._last = Snapshot()
        self._machine = MachineSampler()
        self._index_due = 0.0
        self._said: set[str] = set()
        self._told = 0.0
        self._checked = False
        self._attended = time.monotonic()
        self._answered: tuple[object, Wanted] | None = None
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; waits for what is being read."""
        self._closed.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)

    @property
    def wanted(self) -> Wanted:
        """What the screen looks at."""
        return self._wanted

    def want(self, wanted: Wanted) -> None:
        """Say what is looked at; what is new is read at once."""
        if wanted != self._wanted:
            self._wanted = wanted
            self._wake.set()

    def hurry(self) -> None:
        """Read at once: a run was started, a note written."""
        self._index_due = 0.0
        self._wake.set()

    def _work(self) -> None:
        try:
            self._read_on()
        except Exception as error:  # noqa: BLE001  a thread that dies in silence would leave the screen standing still
            self._say(f"reading has stopped: {plain(repr(error))}; open the dashboard again")

    def _read_on(self) -> None:
        listing = None
        while not self._closed.is_set():
            now = time.monotonic()
            if now >= self._index_due:
                listing = (
                    self._listing()
                )  # None where the folder cannot be listed: what was there is not told again
                self._index_due = now + (POLL_SECONDS if self._checked else _CHECK_SECONDS)
            if listing is not None:
                self._publish(listing)
            self._wake.wait(max(0.0, self._index_due - time.monotonic()))
            self._wake.clear()

    def _listing(self) -> Listing | None:
        looked_at = (*self._wanted.runs, self._wanted.files)
        try:
            recalled = None if self._last.loaded else self._index.recall()
            listing = recalled or (self._index.poll(looked_at) if self._checked else self._index.listing())
            self._checked = recalled is None
        except UsageError as error:
            if self._last.problem != str(error):
                self._last, self._answered = Snapshot(loaded=True, problem=str(error)), None
                self._on_snapshot(self._last)
            return None
        for message in listing.messages:
            self._say(message)
        return listing

    def _say(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            self._on_message(message)

    def _publish(self, listing: Listing) -> None:
        wanted = self._wanted
        if not self._last.loaded:  # the table first, then what takes longer
            self._last = Snapshot(listing.rows, loaded=True, by_id=listing.by_id)
            self._on_snapshot(self._last)
        if self._answered is not None and self._answered[0] is listing.rows and self._answered[1] == wanted:
            return
        there = listing.by_id
        details = {name: self._detail(there[name], wanted) for name in wanted.runs if name in there}
        self._forget(there, wanted)
        living = any(_lives(row) for row in listing.unsettled)
        machine = self._machine.sample() if living else None
        files = self._files(wanted.files) if wanted.files in there else None
        waiting = any(row.state == "queued" for row in listing.unsettled)
        still = not (living or waiting or wanted.files or any(detail.problem for detail in details.values()))
        self._answered = (listing.rows, wanted) if still else None  # until then there is nothing to read
        snapshot = Snapshot(
            listing.rows, details, machine, files, loaded=True, by_id=there, queue=self._queue(waiting)
        )
        if self._is_news(snapshot):
            self._last, self._told = snapshot, time.monotonic()
            self._on_snapshot(snapshot)

    def _queue(self, waiting: bool) -> str:
        """Why runs that wait are not started; see `Snapshot.queue`."""
        if not waiting:
            self._attended = time.monotonic()
            return ""
        from wbtui.launch.queue_files import read_settings
        from wbtui.launch.worker import worker_lives

        now = time.monotonic()
        try:
            if read_settings(self._runs).paused:
                return PAUSED
            if worker_lives(self._runs):
                self._attended = now
        except (StoreWriteError, OSError):
            return ""
        return NO_WORKER if now - self._attended > _WORKER_SECONDS else ""

    def _is_news(self, snapshot: Snapshot) -> bool:
        """Whether the screen is to hear of it; that a heartbeat has grown older, only every two seconds."""
        before = self._last
        if (
            snapshot.machine != before.machine
            or snapshot.files is not before.files
            or before.problem
            or snapshot.queue != before.queue
            or snapshot.details.keys() != before.details.keys()
            or any(detail is not before.details[name] for name, detail in snapshot.details.items())
            or len(snapshot.rows) != len(before.rows)
        ):
            return True
        changed = other_rows(before.rows, snapshot.rows)
        known = [before.by_id.get(row.id) for row in changed]
        if any(
            old is None or replace(new, evidence=old.evidence) != old
            for new, old in zip(changed, known, strict=True)
        ):
            return True
        return bool(changed) and time.monotonic() - self._told > _EVIDENCE_SECONDS

    def _detail(self, row: RunSummary, wanted: Wanted) -> RunDetail:
        follower = self._followers.pop(row.id, None) or Follower(Run(self._runs / row.id))
        self._followers[row.id] = follower  # the latest stands last
        return follower.read(row, wanted.metrics)

    def _files(self, name: str) -> RunFiles:
        if self._reader is None or self._reader.id != name:
            follower = self._followers.get(name)  # whose events need not be read and kept twice
            self._reader = FilesReader(follower.run if follower else Run(self._runs / name))
        return self._reader.read()

    def _forget(self, there: Container[str], wanted: Wanted) -> None:
        for name in list(self._followers):
            gone = name not in there
            if gone or (len(self._followers) > _KEPT and name not in wanted.runs):
                del self._followers[name]


def _lives(row: RunSummary) -> bool:
    return row.state in LIVING
