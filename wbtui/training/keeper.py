"""When is a checkpoint due, and what is written with it?"""

import time
from pathlib import Path

from wbtui.store.writer import RunWriter
from wbtui.training import checkpoint as checkpoints
from wbtui.training.checkpoint import Checkpoint
from wbtui.training.patience import persist

CHEAP_CHECKPOINT = 0.02
"""A checkpoint after an epoch is taken early where it costs less than this share of the time since the last one."""


class Keeper:
    """Writes checkpoints of one run and retries what the disk refuses.

    Args:
        folder: the run folder.
        writer: its writer.
        every_seconds: what a kill may cost.
    """

    def __init__(self, folder: Path, writer: RunWriter, every_seconds: float) -> None:
        self._folder, self._writer, self._every_seconds = folder, writer, every_seconds
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def due(self) -> bool:
        """Whether a kill would now cost more than it may."""
        return time.monotonic() - self._saved_at >= self._every_seconds

    def due_after_epoch(self) -> bool:
        """Whether a checkpoint is due, or so cheap that it may as well be taken."""
        since = time.monotonic() - self._saved_at
        return since >= self._every_seconds or self._save_seconds < CHEAP_CHECKPOINT * since

    def save(self, checkpoint: Checkpoint) -> None:
        """Bring rows and events to the disk, then the checkpoint that relies on them.

        Raises:
            RunFailedError: the disk keeps refusing; the earlier checkpoint stands.
        """
        started = time.monotonic()
        persist(self._writer.sync)
        seconds = persist(lambda: checkpoints.save(self._folder, checkpoint))
        position = checkpoint.position
        self.event(
            "checkpoint",
            epoch=position.epochs_done,
            stage=position.stage,
            batch=position.batch,
            seconds=round(seconds, 4),
        )
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - started

    def event(self, type: str, **fields: object) -> None:
        """Append an event; raises as `persist`."""
        persist(lambda: self._writer.event(type, **fields))
