"""How does a configuration become a run folder, and a run folder a run at work?"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import wbtui
from wbtui.config import DataConfig, RunConfig
from wbtui.data.source_images import absolute_path
from wbtui.errors import RunFailedError
from wbtui.launch.environment import child_environment
from wbtui.launch.refused import Advice, AlreadyAtWorkError
from wbtui.launch.threads import thread_environment, threads_for
from wbtui.launch.waiter import ALREADY_RUNNING
from wbtui.presets import Resolved
from wbtui.store import format as run_format
from wbtui.store.ids import create_run
from wbtui.store.log import open_output
from wbtui.store.notes import edit_tags, set_note
from wbtui.store.taken_over import provenance_of, take_over
from wbtui.store.text import plain

_LOG_TAIL = 2_000


def make_run(
    runs: Path,
    resolved: Resolved,
    command: Sequence[str] = (),
    tags: Iterable[str] = (),
    note: str = "",
) -> Path:
    """Make the folder of a run that nobody works on yet.

    Args:
        runs: the folder of all runs; made if missing.
        resolved: the configuration and where its values came from.
        command: the command line that asked for it.
        tags: for notes.json.
        note: for notes.json.

    Returns:
        The run folder.

    Raises:
        UsageError: a tag or the note cannot be, or a run that is to be taken over cannot be read; no folder is left
            behind.
        StoreWriteError: the runs folder cannot be written.
    """
    config = resolved.config
    config = config.model_copy(update={"data": absolute_root(config.data)})
    folder = create_run(runs, config, _provenance(resolved, command))
    try:
        if resolved.after:
            take_over(resolved.after, folder)
        if tags:
            edit_tags(folder, add=tags)
        if note:
            set_note(folder, note)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def make_runs(
    runs: Path,
    resolved: Iterable[Resolved],
    command: Sequence[str] = (),
    tags: Sequence[str] = (),
    note: str = "",
) -> list[Path]:
    """Make the folders of several runs, or of none: what was made before a mistake or an interrupt goes again.

    Raises:
        UsageError: as `make_run`.
        StoreWriteError: as `make_run`.
    """
    folders: list[Path] = []
    try:
        for one in resolved:
            folders.append(make_run(runs, one, command, tags, note))
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return folders


def absolute_root(data: DataConfig) -> DataConfig:
    """The data section with its root absolute: a resume may come from another folder.

    Raises:
        UsageError: it, or the working folder, has a name that config.toml cannot hold.
    """
    if not data.root:
        return data
    return data.model_copy(update={"root": str(absolute_path(data.root))})


def start_run(
    folder: Path,
    config: RunConfig,
    parallel: int = 1,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Start a waiter, which starts the trainer; returns once process.json names both.

    Args:
        folder: the run folder, new or with earlier attempts.
        config: its configuration.
        parallel: runs that share this machine.
        environment: more variables for the trainer.

    Raises:
        AlreadyAtWorkError: somebody works on the run already.
        RunFailedError: the waiter could not start.
        StoreWriteError: the folder cannot be written.
    """
    threads = thread_environment(threads_for(config, parallel))
    command = [sys.executable, "-P", "-m", "wbtui.launch.waiter", "--detach", "--device", config.device]
    with open_output(folder / run_format.LOG) as log:
        earlier = log.tell()
        waiter = subprocess.run(
            [*command, str(folder.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment() | threads | dict(environment),
            check=False,
        )
    if waiter.returncode == ALREADY_RUNNING:
        raise AlreadyAtWorkError(folder, "a process works on this run already", Advice.ATTACH)
    if waiter.returncode:
        raise RunFailedError(f"{folder.name}: the waiter could not start: {_log_tail(folder, earlier)}")


def _log_tail(folder: Path, start: int) -> str:
    try:
        text = (folder / run_format.LOG).read_bytes()[start:][-_LOG_TAIL:].decode("utf-8", "replace")
    except OSError:
        text = ""
    return plain(text.strip(), lines=True) or f"exit without a word in {run_format.LOG}"


def _provenance(resolved: Resolved, command: Sequence[str]) -> dict[str, Any]:
    return (provenance_of(resolved.after) if resolved.after else {}) | {
        "command": list(command),
        "made": time.time(),
        "host": socket.gethostname(),
        "folder": str(Path.cwd()),
        "preset": resolved.config.preset,
        "variant": resolved.config.variant,
        "origins": dict(resolved.origins),
        "code": code_version(),
    }


@cache
def code_version() -> dict[str, Any]:
    """The version of this package and, where it stands in a git checkout, its commit and whether files differ."""
    found: dict[str, Any] = {"version": wbtui.__version__}
    root = Path(wbtui.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return found
    commit = _git(root, "rev-parse", "HEAD")
    if commit:
        found |= {"commit": commit, "modified": bool(_git(root, "status", "--porcelain", "--", "wbtui"))}
    return found


def _git(root: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=5,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
