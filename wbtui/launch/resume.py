"""May a run go on, and how? Its files of the attempt before are put aside and a waiter starts anew."""

import os
from pathlib import Path

from wbtui.config import RunConfig
from wbtui.launch.refused import Advice, RefusedError
from wbtui.launch.start import start_run
from wbtui.presets import resolve
from wbtui.store import format as run_format
from wbtui.store.reader import open_run
from wbtui.store.records import clear_stop, last_attempt
from wbtui.store.setting import is_imported


def config_of(folder: Path) -> RunConfig:
    """The configuration of a run folder, checked and typed.

    Raises:
        UsageError: config.toml is missing or wrong.
    """
    return resolve(config_file=folder / run_format.CONFIG).config


def resume_run(folder: Path) -> None:
    """Go on with a run that was stopped, failed or crashed, from its checkpoint, or from the start if it never had one.

    Raises:
        RefusedError: it is at work, waits in the queue, has finished, or has lost its checkpoint.
        UsageError: its folder is gone, or its configuration is missing or wrong.
        RunFailedError: the waiter could not start.
    """
    run = open_run(folder)
    state = run.state()
    if is_imported(run.config):
        raise RefusedError(folder, "imported predictions, there is nothing to train", Advice.ADJUST)
    if state.name == "finished":
        raise RefusedError(folder, "finished, nothing is left to do", Advice.REPEAT)
    if state.name == "queued":
        raise RefusedError(folder, "waits in the queue", Advice.START_QUEUE)
    if state.living:
        raise RefusedError(folder, f"{state.name} ({state.evidence})", Advice.ATTACH)
    if run.history.checkpoint and not os.path.lexists(folder / run_format.CHECKPOINT):
        raise RefusedError(
            folder,
            f"its {run_format.CHECKPOINT} is not there (pruned, or not copied yet); without it all "
            f"{run.history.last_epoch} epochs would be recorded anew",
            Advice.BEGIN_AGAIN,
        )
    config = config_of(folder)
    if last_attempt(folder) == 0:
        clear_stop(folder)  # of somebody who wanted an attempt to stop that never came
    start_run(folder, config)
