"""`python -m wbtui.training RUN_FOLDER`: the trainer by itself, as a waiter, a cluster job or a person starts it.

Exit codes: 0 finished, 1 the run failed, 2 wrong usage or configuration, 130 stopped.
"""

import contextlib
import os
import sys
import time
import traceback
from functools import partial
from pathlib import Path

from wbtui.errors import RunFailedError, UsageError
from wbtui.store.errors import StoreWriteError, complain
from wbtui.store.facts import process_info
from wbtui.store.format import Outcome, Result
from wbtui.store.records import begin_attempt, last_attempt, write_process, write_result
from wbtui.store.writer import RunWriter
from wbtui.training.monitor import Monitor
from wbtui.training.patience import persist

FINISHED, FAILED, USAGE, STOPPED = 0, 1, 2, 130


def main(arguments: list[str]) -> int:
    """Train the run folder named on the command line; the exit code."""
    if len(arguments) != 1:
        print("usage: python -m wbtui.training RUN_FOLDER", file=sys.stderr)
        return USAGE
    folder = Path(arguments[0])
    waited_for = os.environ.get("WBTUI_WAITER") == "1"
    try:
        attempt = max(last_attempt(folder), 1) if waited_for else _begin(folder)
        monitor = Monitor(folder, attempt)
        monitor.start()
        writer = RunWriter.open(folder, attempt)
    except (UsageError, StoreWriteError) as error:
        print(f"{error}", file=sys.stderr)
        return USAGE
    started = time.time()
    with writer:
        result = _train(folder, writer, monitor, attempt, started)
    monitor.close()
    if not waited_for:
        try:
            write_result(folder, result)
        except StoreWriteError as error:
            complain(f"{error}")
    return result.exit_code if result.exit_code is not None else FAILED


def _begin(folder: Path) -> int:
    """Without a waiter nobody else says who works here: the number of the attempt, with process.json written."""
    attempt = begin_attempt(folder)
    write_process(folder, process_info(attempt, pid=os.getpid(), process_group=os.getpgrp()))
    return attempt


def _train(folder: Path, writer: RunWriter, monitor: Monitor, attempt: int, started: float) -> Result:
    """One attempt, from its `start` event to its `end` event."""
    from wbtui.training.session import train  # loads torch; `starting` is already written

    outcome: Outcome
    error_text, figures = "", None
    try:
        figures = train(folder, writer, monitor)
        outcome, reason, code = "finished", "all epochs done", FINISHED
    except KeyboardInterrupt as stop:
        outcome, reason, code = "stopped", str(stop) or "stopped by SIGINT", STOPPED
        with contextlib.suppress(StoreWriteError):
            writer.event("stop", reason=reason)
    except (UsageError, RunFailedError) as error:
        outcome, reason = "failed", str(error)
        code = USAGE if isinstance(error, UsageError) else FAILED
    except Exception as error:  # noqa: BLE001 - whatever happened belongs into the run folder
        outcome, code = "failed", FAILED
        said = str(error).partition("\n")[0]  # of CUDA's errors, the rest is advice that is always the same
        reason, error_text = f"{type(error).__name__}: {said}", traceback.format_exc()
        complain(error_text)
    if outcome == "failed":
        complain(reason)
    result = Result(
        attempt=attempt,
        outcome=outcome,
        reason=reason,
        exit_code=code,
        started=started,
        ended=time.time(),
        epoch=writer.last_epoch,
        final=figures.final if figures else None,
        best=figures.best if figures else None,
        best_epoch=figures.best_epoch if figures else None,
        error=error_text,
    )
    last_word = partial(
        writer.event,
        "end",
        outcome=outcome,
        reason=reason,
        final=result.final or {},
        best=result.best or {},
        best_epoch=result.best_epoch,
        oracle=figures.oracle if figures else {},
        error=error_text,
    )
    try:
        if figures:
            persist(last_word)  # nothing else says that it has finished
        else:
            last_word()  # a failure has waited for room already, and its exit code tells
    except (RunFailedError, StoreWriteError) as error:
        complain(f"{error}")
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
