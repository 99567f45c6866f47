"""What do the files of one run say that are no measurements: configuration, provenance, notes, log, samples?"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from wbtui.report.figures import SCREEN_TITLES
from wbtui.store.errors import StoreReadError
from wbtui.store.format import CONFIG, DERIVED, EVENTS, LOG, NOTES, PROCESS, PROVENANCE, RESULT, SYSTEM
from wbtui.store.reader import Run
from wbtui.store.text import plain
from wbtui.tui.event_lines import EventLines
from wbtui.tui.snapshots import RunFiles

LOG_LINES = 2_000
_LOG_BYTES = 1 << 20
_WATCHED = (EVENTS, CONFIG, PROVENANCE, NOTES, RESULT, PROCESS, LOG, SYSTEM, DERIVED)
_LONGEST = 2_000  # characters of a value
_HOW_ALL = " (] draws all)"

Answer = TypeVar("Answer")


class FilesReader:
    """Reads them again when one of them changed. Belongs to the feed's thread.

    Args:
        run: The run; no other thread uses it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._events = EventLines(run)
        self._signature: object = None
        self._files = RunFiles(run.id)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run.id

    def read(self) -> RunFiles:
        """The files as they are; the same object where none changed."""
        signature = tuple(self._stamp(name) for name in _WATCHED)
        if signature != self._signature:
            self._signature = signature
            self._files = self._read()
        return self._files

    def _stamp(self, name: str) -> tuple[int, int]:
        try:
            status = os.lstat(self._run.path / name)
        except OSError:
            return (-1, -1)
        return status.st_size, status.st_mtime_ns

    def _read(self) -> RunFiles:
        run = self._run
        problems: list[str] = []

        def asked(read: Callable[[], Answer], otherwise: Answer) -> Answer:
            try:
                return read()
            except (StoreReadError, OSError) as error:
                problems.append(plain(str(error)))
                return otherwise

        from wbtui.report.overview import overview_tables

        config: Mapping[str, Any] = asked(lambda: run.config, {})
        provenance: Mapping[str, Any] = asked(lambda: run.provenance, {})
        return RunFiles(
            id=run.id,
            overview=asked(lambda: tuple(overview_tables(run, titles=SCREEN_TITLES, how_all=_HOW_ALL)), ()),
            config=tuple(leaves(config)),
            provenance=tuple(leaves(provenance)),
            log=asked(lambda: run.log_tail(LOG_LINES, _LOG_BYTES), ()),
            events=asked(self._events.read, ()),
            samples=asked(run.system_samples, ()) if self._stamp(SYSTEM)[0] > 0 else (),
            problems=tuple(problems),
        )


def leaves(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of a nested table by dotted key, values as text; tables in a list by their number."""
    for key, value in table.items():
        dotted = plain(f"{prefix}{key}")[:_LONGEST]
        if isinstance(value, Mapping):
            yield from leaves(value, dotted + ".")
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value):
                yield from leaves(item, f"{dotted}.{number}.")
        else:
            yield dotted, plain(value if isinstance(value, str) else repr(value))[:_LONGEST]
