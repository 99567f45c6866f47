"""What does events.jsonl say so far, read as it grows and whatever stands in it?"""

import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from wbtui.store import bounded, jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.format import EVENTS, FORMAT_VERSION, MAX_LINE, MAX_LOG, Event

_HEAD = 64  # bytes compared to notice that a file was replaced by a longer one
_CHUNK = 4 << 20


@dataclass(frozen=True)
class Batch:
    """What one poll found."""

    events: tuple[Event, ...]
    restarted: bool
    """The file was truncated or replaced: forget earlier events, these begin anew."""
    more: bool
    """The poll stopped at its limit; the next one goes on."""


def parse_event(line: bytes) -> Event | None:
    """The event on a line, or None for a bad line."""
    try:
        value = jsonio.decode(line)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.pop("v", None) != FORMAT_VERSION:
        return None
    seq, time, kind = value.pop("seq", None), value.pop("t", None), value.pop("type", None)
    if type(seq) is not int or not 0 <= seq < 2**53 or not isinstance(kind, str) or not 0 < len(kind) <= 40:
        return None
    seconds = jsonio.number(time)
    if time is None or seconds is None or not 0 <= seconds < 1e11:
        return None
    return Event(seq, seconds, kind, value)


class LineReader:
    """Follows a growing file of lines; keeps the byte offset and an incomplete last line.

    Args:
        folder: The run folder.
        name: The file, relative to it.

    Attributes:
        bad_lines: Lines that were too long, and (EventReader) those that were no event.
        offset: Bytes taken so far, an incomplete last line not counted.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.bad_lines = 0
        self._forget()

    def _forget(self) -> None:
        self._position = 0
        self._pending = b""
        self._skipping = False  # inside a line that is already too long
        self._head = b""
        self._identity: tuple[int, int] | None = None
        self.bad_lines = 0

    @property
    def offset(self) -> int:
        """Bytes of complete lines taken so far."""
        return self._position - len(self._pending)

    def read_lines(self, limit: int) -> tuple[list[bytes], bool, bool]:
        """The complete new lines among at most `limit` new bytes; (lines, restarted, more).

        Raises:
            StoreReadError: the file is there but cannot be read, or is larger than MAX_LOG.
        """
        try:
            file = bounded.open_regular(self.folder, self.name)
        except FileNotFoundError:
            restarted = self._position > 0
            self._forget()
            return [], restarted, False
        with file:
            try:
                return self._read_lines(file, limit)
            except OSError as error:
                raise StoreReadError(
                    f"{bounded.shown(self.folder, self.name)}: cannot be read: {error}"
                ) from error

    def _read_lines(self, file: FileIO, limit: int) -> tuple[list[bytes], bool, bool]:
        status = os.fstat(file.fileno())
        if status.st_size > MAX_LOG:
            raise StoreReadError(
                f"{bounded.shown(self.folder, self.name)}: {status.st_size} bytes; expected at most {MAX_LOG}"
            )
        head = os.pread(file.fileno(), _HEAD, 0)
        restarted = self._identity is not None and (
            (status.st_dev, status.st_ino) != self._identity
            or status.st_size < self._position
            or not head.startswith(self._head)
        )
        if restarted:
            self._forget()
        self._identity = (status.st_dev, status.st_ino)
        self._head = head
        data = os.pread(file.fileno(), min(limit, status.st_size - self._position), self._position)
        self._position += len(data)
        return self._split(data), restarted, self._position < status.st_size and bool(data)

    def _split(self, data: bytes) -> list[bytes]:
        *complete, rest = data.split(b"\n")
        lines = []
        for i, line in enumerate(complete):
            if i == 0:
                line = self._pending + line
                if self._skipping:
                    self._skipping = False
                    continue
            if len(line) > MAX_LINE:
                self.bad_lines += 1
            elif line:
                lines.append(line)
        self._pending = (b"" if complete else self._pending) + rest
        if self._skipping:
            self._pending = b""
        elif len(self._pending) > MAX_LINE:
            self._pending = b""
            self._skipping = True
            self.bad_lines += 1
        return lines


class EventReader:
    """Follows events.jsonl of a run folder.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._lines = LineReader(folder, EVENTS)

    @property
    def offset(self) -> int:
        """Bytes of complete lines taken so far."""
        return self._lines.offset

    @property
    def bad_lines(self) -> int:
        """Lines skipped so far because they were no event."""
        return self._lines.bad_lines

    def poll(self, limit: int = _CHUNK) -> Batch:
        """The events that came since the last poll; at most `limit` new bytes are held at once.

        A missing file is an empty one.

        Raises:
            StoreReadError: the file is there but cannot be read.
        """
        lines, restarted, more = self._lines.read_lines(limit)
        events = []
        for line in lines:
            event = parse_event(line)
            if event is None:
                self._lines.bad_lines += 1
            else:
                events.append(event)
        return Batch(tuple(events), restarted, more)
