"""What happened to a run, one line each: started, asked to stop, ended, taken up again, alerts, stages?"""

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from wbtui.store.events import LineReader, parse_event
from wbtui.store.format import EVENTS, Event
from wbtui.store.reader import Run
from wbtui.store.text import plain

EVENT_LINES = 500
_EPOCH = b'"type":"epoch"'
"""Nearly all lines have it: they are left out before they are read. Inside a text its quotes would be escaped."""
_CHUNK = 4 << 20
_LONGEST = 200


class EventLines:
    """Follows the events of a run that say what happened to it. Belongs to the feed's thread.

    Args:
        run: The run.
    """

    def __init__(self, run: Run) -> None:
        self._reader = LineReader(run.path, EVENTS)
        self._lines: deque[str] = deque(maxlen=EVENT_LINES)
        self._stands = 0

    def read(self) -> tuple[str, ...]:
        """The lines so far, those of superseded attempts too.

        Raises:
            StoreReadError: the events cannot be read.
        """
        more = True
        while more:
            found, restarted, more = self._reader.read_lines(_CHUNK)
            if restarted:
                self._lines.clear()
                self._stands = 0
            for line in found:
                event = None if _EPOCH in line else parse_event(line)
                if event is None:
                    continue
                if event.type == "resume":
                    self._stands = _epoch(event.fields, "from_epoch")
                words = in_words(event, self._stands)
                if words:
                    self._lines.append(f"{_moment(event.time)}  {words}")
        return tuple(self._lines)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def in_words(event: Event, stands: int = 0) -> str:
    """What an event says happened; empty for those that measure or declare.

    Args:
        event: The event.
        stands: The last epoch that stood when the attempt began; a stage that began before it goes on.
    """
    fields = event.fields
    match event.type:
        case "start":
            return f"start: {_epochs(fields)}"
        case "resume":
            return f"resume: attempt {_word(fields, 'attempt')}, after epoch {_word(fields, 'from_epoch')}"
        case "stage":
            name, first = (_word(fields, key) for key in ("name", "first_epoch"))
            goes_on = 0 < _epoch(fields, "first_epoch") <= stands
            again = f" goes on at epoch {stands + 1}" if goes_on else ""
            return f"stage {name}{again}: {_epochs(fields)} from epoch {first}"
        case "alert":
            return f"⚠ epoch {_word(fields, 'epoch')}: {_word(fields, 'message')}"
        case "stop":
            return f"stop: {_word(fields, 'reason')}"
        case "end":
            return f"end: {_word(fields, 'outcome')}, {_word(fields, 'reason')}"
    return ""


def _epoch(fields: Mapping[str, Any], key: str) -> int:
    """The number of an epoch; 0 where there is none that makes sense."""
    value = fields.get(key)
    return value if type(value) is int and 0 < value < 2**31 else 0


def _word(fields: Mapping[str, Any], key: str) -> str:
    return plain(str(fields.get(key, "?"))[:_LONGEST])


def _epochs(fields: Mapping[str, Any]) -> str:
    epochs = _word(fields, "epochs")
    return "1 epoch" if epochs == "1" else f"{epochs} epochs"
