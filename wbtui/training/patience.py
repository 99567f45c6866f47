"""How does a write that a full disk refuses wait for room? No torch: the trainer's first and last words wait too."""

import time
from collections.abc import Callable
from typing import TypeVar

from wbtui.errors import RunFailedError
from wbtui.store.errors import StoreWriteError, complain

T = TypeVar("T")

RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 20.0)
"""Pauses before a refused write is tried again; then the run stops cleanly."""


def persist(write: Callable[[], T]) -> T:
    """Write; where the disk refuses, say so, wait and try again.

    Raises:
        RunFailedError: it refused every time.
    """
    for pause in RETRY_SECONDS:
        try:
            return write()
        except StoreWriteError as error:
            complain(f"{error}; trying again in {pause:g} s")
            time.sleep(pause)
    try:
        return write()
    except StoreWriteError as error:
        raise RunFailedError(f"{error}; gave up; what was written before it stands") from error
