"""Who may work on a run folder? The holder of its lock; the kernel takes it back when that one dies."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError

if TYPE_CHECKING:
    from filelock import BaseFileLock

RUN_LOCK = "control/lock"
"""Held by the waiter as long as it lives."""

LOCK_PATIENCE = 1.0
"""Seconds; somebody may just be looking at the lock."""

_LOOK_SECONDS = 0.05


@contextlib.contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Try to hold the lock of a file, which is made with its folder; yields whether that worked.

    Args:
        path: the lock file.
        patience: seconds to wait for another holder to let go.

    Raises:
        StoreWriteError: the lock file cannot be made, its folder is a link, or its file system has no locks.
    """
    atomic.make_folder(path.parent)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        raise StoreWriteError(path, error) from error
    try:
        yield _acquire(path, handle, fcntl.LOCK_EX, time.monotonic() + patience)
    finally:
        os.close(handle)


@contextlib.contextmanager
def kept_free(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Keep others from locking a file for a while, as several may at once; yields whether nobody has locked it.

    The file is not made: where it is not there nobody has locked it, and nobody is kept from it.

    Args:
        path: the lock file.
        patience: seconds to wait for a holder to let go.

    Raises:
        StoreWriteError: the lock cannot be asked for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield True
        return
    except OSError as error:
        raise StoreWriteError(path, error) from error
    try:
        yield _acquire(path, handle, fcntl.LOCK_SH, time.monotonic() + patience)
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock of a file now; neither makes the file nor keeps the lock from another looker.

    Who wants to hold it at this very moment needs a little patience.

    Raises:
        StoreWriteError: the lock cannot be asked for.
    """
    with kept_free(path) as free:
        return not free


def file_lock(path: Path, patience: float) -> "BaseFileLock":
    """The lock of a small file that several processes change, by the library for it; to be used in a `with`.

    The library would make the folder too: a run or a folder of runs that is gone, perhaps for a while, would find an
    empty one in its place.

    Args:
        path: the lock file.
        patience: seconds to wait for another holder to let go; `filelock.Timeout` says that it did not.

    Raises:
        FileNotFoundError: the folder is not there.
    """
    from filelock import FileLock  # what only reads does without

    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    return FileLock(path, timeout=patience)


def _acquire(path: Path, handle: int, kind: int, deadline: float) -> bool:
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_SECONDS)
        except OSError as error:  # a file system without locks
            raise StoreWriteError(path, error) from error
        else:
            return True
