"""How is a run stopped: asked first, then told, then killed?

The ladder: control/stop → 20 s → SIGTERM to the process group → 10 s → SIGKILL. Who is signalled is checked
again, by pid and creation time, before every signal.
"""

import enum
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from wbtui.launch import identity, queue_files
from wbtui.launch.refused import Advice, RefusedError
from wbtui.store import facts
from wbtui.store.format import PROCESS
from wbtui.store.reader import Run, open_run
from wbtui.store.records import read_process, request_stop
from wbtui.store.text import plain


class Rung(enum.IntEnum):
    """How firmly a run is asked to end."""

    ASK = 0
    """control/stop: finish the batch, write a checkpoint, end."""

    TERMINATE = 1
    """SIGTERM to the process group."""

    KILL = 2
    """SIGKILL to the process group; work since the last checkpoint is lost."""


PATIENCE = {Rung.ASK: 20.0, Rung.TERMINATE: 10.0, Rung.KILL: 10.0}
"""Seconds on each rung before the next."""

_ANOTHER_USERS = "its processes are another user's, which cannot be signalled"

_SIGNALS = {Rung.TERMINATE: signal.SIGTERM, Rung.KILL: signal.SIGKILL}


def check_stop(folder: Path, first: Rung) -> None:
    """Look whether a run can be stopped so.

    Raises:
        RefusedError: it has ended, waits in the queue, or its processes cannot be signalled from here.
        UsageError: its folder is gone.
    """
    state = open_run(folder).state()
    if state.name == "crashed" and queue_files.waits_again(folder):
        raise RefusedError(folder, "crashed, and waits in the queue to be tried again", Advice.TAKE_OUT)
    if state.terminal:
        raise RefusedError(folder, f"{state.name} already")
    if state.name == "queued":
        raise RefusedError(folder, "waits in the queue", Advice.TAKE_OUT)
    process = read_process(folder)
    if process is not None and first is not Rung.ASK:
        place = facts.place_of(process)
        if place != "here":
            where = (
                f"on host {plain(process.host)}" if place == "host" else "in another container of this host"
            )
            raise RefusedError(folder, f"works {where}, whose processes cannot be signalled from here")
        if not _may_signal(folder):
            raise RefusedError(folder, _ANOTHER_USERS, Advice.ASK)
    if not state.living:
        raise RefusedError(folder, f"{state.name} ({state.evidence})")


def _may_signal(folder: Path) -> bool:
    group = identity.trainer_group(folder)
    try:
        if group is not None:
            os.killpg(group, 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        pass
    return True


def take(folder: Path, rung: Rung, by: str = "") -> bool:
    """Stop a run as firmly as `rung` says; whether its trainer was there to hear it.

    Args:
        folder: the run folder.
        rung: how firmly.
        by: who asks, for control/stop.

    Raises:
        StoreWriteError: control/stop could not be written.
        RefusedError: its processes are another user's, who lets it be asked but not signalled.
    """
    request_stop(folder, by)
    group = identity.trainer_group(folder)
    if group is None:
        return False
    if rung in _SIGNALS:
        try:
            os.killpg(group, _SIGNALS[rung])
            os.killpg(group, signal.SIGCONT)  # a suspended process hears nothing but SIGKILL
        except ProcessLookupError:
            pass
        except PermissionError:
            raise RefusedError(folder, f"{_ANOTHER_USERS}; it has been asked to stop") from None
    return True


class Ladder:
    """Climbs rung by rung until a run's trainer is dead.

    Args:
        folder: the run folder.
        first: the rung to begin on.
        by: who asks.
        clock: seconds that only go forward.
    """

    def __init__(
        self,
        folder: Path,
        first: Rung = Rung.ASK,
        by: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder, self.rung = folder, first
        self._by, self._clock = by, clock
        self._take()

    def _take(self) -> None:
        take(self.folder, self.rung, self._by)
        self._until = self._clock() + PATIENCE[self.rung]

    @property
    def dead(self) -> bool:
        """Whether the trainer is gone."""
        return not identity.trainer_lives(self.folder)

    @property
    def seconds_left(self) -> float:
        """Seconds until the next rung; 0 where patience is over."""
        return max(0.0, self._until - self._clock())

    @property
    def over(self) -> bool:
        """Whether the trainer is dead and its waiter has written that down, or everything was tried."""
        if self.exhausted:
            return True
        return self.dead and not identity.waiter_lives(self.folder) and not self._to_come

    @property
    def _to_come(self) -> bool:
        """Whether a waiter is still due, which will find the request to stop."""
        return not os.path.lexists(self.folder / PROCESS) and Run(self.folder).state().name == "starting"

    @property
    def exhausted(self) -> bool:
        """Whether even SIGKILL did not help in time: a process that hangs in the kernel."""
        return self.rung is Rung.KILL and self.seconds_left == 0 and not self.dead

    def climb(self) -> None:
        """Take the next rung now; on the last one, take it again."""
        self.rung = Rung(min(self.rung + 1, Rung.KILL))
        self._take()

    def tick(self) -> None:
        """Take the next rung if patience is over and the trainer still lives."""
        if self.seconds_left == 0 and self.rung is not Rung.KILL and not self.dead:
            self.climb()
