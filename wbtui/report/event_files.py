"""How do scalars reach TensorBoard: one folder of event files a run, which it reads beside any other."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from wbtui.errors import MissingPackageError, UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.reader import Run
from wbtui.store.text import plain

_PATIENCE = 1.0
"""Seconds for a thread that fails to come to its end."""


def write_event_files(runs: Sequence[Run], folder: Path) -> int:
    """Write every scalar of every epoch of each run into FOLDER/RUN_ID; steps are epochs over all stages.

    A tag is the metric's name with a slash after its first word, test/accuracy.all, so that TensorBoard puts what
    belongs to one split together. Accuracies are fractions.

    Args:
        runs: whose.
        folder: where to; made if missing. Tensorboard reads all event files of a folder together, so that of a run
            must not be there yet.

    Returns:
        How many scalars were written.

    Raises:
        MissingPackageError: tensorboard is not installed.
        UsageError: the folder of a run is there.
        StoreReadError: a run cannot be read.
        StoreWriteError: the folder cannot be written.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise MissingPackageError("--tensorboard", error, "tensorboard") from None

    there = [run.id for run in runs if (folder / run.id).exists()]
    if there:
        raise UsageError(
            f"{plain(str(folder / there[0]))}: there already; event files beside it would be mixed up with it; "
            "remove it or name another folder"
        )
    count = 0
    try:
        for run in runs:
            with _quiet_threads(), contextlib.closing(Writer(str(folder / run.id))) as writer:
                for epoch in run.epochs:
                    for metric, value in epoch.scalars.items():
                        tag = metric.replace(".", "/", 1)
                        writer.add_scalar(tag, value, epoch.number, wall_time=epoch.time)
                    count += len(epoch.scalars)
    except OSError as error:
        raise StoreWriteError(folder, error) from error
    return count


@contextlib.contextmanager
def _quiet_threads() -> Iterator[None]:
    """No traceback of what fails in tensorboard's own thread: its writer raises the same."""
    hook, before = threading.excepthook, threading.enumerate()
    threading.excepthook = lambda _: None
    try:
        yield
    finally:
        for thread in threading.enumerate():
            if thread not in before:
                thread.join(_PATIENCE)
        threading.excepthook = hook
