"""What does the trainer say about itself while it works, and who asked it to stop? No torch: it speaks first.

The heartbeat comes from a thread, so that a ten-minute epoch still beats; it tells which batch the loop is at, so
that a loop that hangs while the thread beats is seen too.
"""

import contextlib
import signal
import threading
import time
from collections import deque
from pathlib import Path
from statistics import median
from types import FrameType

from wbtui.store import format as run_format
from wbtui.store.errors import StoreWriteError
from wbtui.store.format import Phase
from wbtui.store.records import HeartbeatWriter, stop_requested

BEAT_SECONDS = 5.0
STOP_LOOK_SECONDS = 0.2
STEPS_KEPT = 200


class Monitor:
    """The heartbeat thread and the ears of one trainer process."""

    def __init__(self, folder: Path, attempt: int) -> None:
        self._folder, self._writer = folder, HeartbeatWriter(folder, attempt)
        self._phase: Phase = "starting"
        self._epoch = 0
        self._batch: int | None = None
        self._batches: int | None = None
        self._step_seconds: deque[float] = deque(maxlen=STEPS_KEPT)
        self._step_started = time.monotonic()
        self._images_per_second = 0.0
        self._signal = ""
        self._looked = 0.0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Write the first heartbeat, start the thread and take over SIGTERM, SIGINT and SIGHUP."""
        self._write()
        self._thread.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def close(self) -> None:
        """Stop beating, with a last heartbeat."""
        self._ended.set()
        self._wake.set()
        self._thread.join()
        self._write()

    @property
    def phase(self) -> Phase:
        """What is being done."""
        return self._phase

    @property
    def epoch(self) -> int:
        """The epoch in work over all stages, from 1; 0 before the first."""
        return self._epoch

    def enter(self, phase: Phase, epoch: int, batches: int | None = None, batch: int = 0) -> None:
        """Say what is being done now.

        Args:
            phase: what.
            epoch: epoch in work over all stages, from 1.
            batches: how many batches it has; None: it has none.
            batch: batches of it already done.
        """
        if self._phase in ("starting", "data", "preparing"):
            self._wake.set()  # a short run must not be called starting until the next beat
        self._phase, self._epoch, self._batches = phase, epoch, batches
        self._batch = None if batches is None else batch
        self._step_started = time.monotonic()

    def batch_done(self, batch: int) -> None:
        """One training step more; `batch` are done."""
        now = time.monotonic()
        self._step_seconds.append(now - self._step_started)
        self._step_started, self._batch = now, batch

    def epoch_done(self, images: int, seconds: float) -> None:
        """Tell the speed of the epoch just trained."""
        self._images_per_second = images / seconds if seconds > 0 else 0.0

    def stop_reason(self) -> str:
        """Who asked for a stop, in words; empty: nobody. Cheap enough to ask between batches."""
        if self._signal:
            return self._signal
        now = time.monotonic()
        if now - self._looked < STOP_LOOK_SECONDS:
            return ""
        self._looked = now
        return f"stopped by {run_format.STOP}" if stop_requested(self._folder) else ""

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._signal = f"stopped by {signal.Signals(number).name}"

    def _beat(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(BEAT_SECONDS)
            self._wake.clear()
            self._write()

    def _write(self) -> None:
        steps = self._step_seconds.copy()
        # A full disk must not end the run; readers see the beat grow old.
        with contextlib.suppress(StoreWriteError):
            self._writer.beat(
                self._phase,
                self._epoch,
                self._batch,
                batches=self._batches,
                images_per_second=self._images_per_second,
                median_step_seconds=median(steps) if steps else 0.0,
            )
