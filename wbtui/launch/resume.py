"""May a run go on, and how? Its files of the attempt before are put aside and a waiter starts anew."""

import os
from pathlib import Path

from wbtui.config import RunConfig
from wbtui.errors import UsageError
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
        UsageError: it is at work, waits in the queue, has finished, or has lost its checkpoint.
        RunFailedError: the waiter could not start.
    """
    run, name = open_run(folder), folder.name
    state = run.state()
    if is_imported(run.config):
        raise UsageError(
            f"{name}: imported predictions, there is nothing to train; `wbtui adjust` re-scores them"
        )
    if state.name == "finished":
        raise UsageError(
            f"{name}: finished, nothing is left to do; `wbtui run --config` on its config.toml repeats it"
        )
    if state.name == "queued":
        raise UsageError(f"{name}: waits in the queue; `wbtui queue start` starts it")
    if state.living:
        raise UsageError(f"{name}: {state.name} ({state.evidence}); `wbtui attach` follows it")
    if run.history.checkpoint and not os.path.lexists(folder / run_format.CHECKPOINT):
        raise UsageError(
            f"{name}: its {run_format.CHECKPOINT} is not there (pruned, or not copied yet); without it all "
            f"{run.history.last_epoch} epochs would be recorded anew. `wbtui run --config` on its config.toml begins "
            "again in a folder of its own"
        )
    config = config_of(folder)
    if last_attempt(folder) == 0:
        clear_stop(folder)  # of somebody who wanted an attempt to stop that never came
    start_run(folder, config)
