"""Whose processes work on a run, asked again before each signal? A process is its pid and creation time."""

import os
from pathlib import Path

from wbtui.store import facts
from wbtui.store.errors import StoreReadError
from wbtui.store.format import ProcessInfo
from wbtui.store.records import read_process


def process_of(folder: Path) -> ProcessInfo | None:
    """process.json of a run whose processes are here to be seen; None: there is nobody here to signal."""
    try:
        info = read_process(folder)
    except StoreReadError:
        return None
    return info if info is not None and facts.place_of(info) == "here" else None


def trainer_lives(folder: Path) -> bool:
    """Whether the recorded trainer of a run lives on this host."""
    info = process_of(folder)
    return info is not None and facts.trainer_liveness(info) in ("alive", "hidden")


def waiter_lives(folder: Path) -> bool:
    """Whether the recorded waiter of a run lives on this host."""
    info = process_of(folder)
    return info is not None and facts.waiter_liveness(info) in ("alive", "hidden")


def trainer_group(folder: Path) -> int | None:
    """The process group of a trainer that lives and still leads it; None: there is nothing to signal."""
    info = process_of(folder)
    if info is None or info.pid is None or facts.trainer_liveness(info) != "alive":
        return None
    try:
        group = os.getpgid(info.pid)
    except ProcessLookupError:
        return None
    return group if group == info.process_group else None
