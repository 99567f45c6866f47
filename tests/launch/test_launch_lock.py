"""Is a lock looked at without disturbing who wants it, and is a file system without locks one message?"""

import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from wbtui.launch import worker
from wbtui.launch.environment import child_environment
from wbtui.launch.queue_files import PLACE
from wbtui.store.errors import StoreWriteError
from wbtui.store.lock import is_held, locked


def test_looking_at_a_lock_takes_it_from_nobody(tmp_path: Path) -> None:
    lock = tmp_path / "control" / "lock"
    assert not is_held(lock)
    assert not lock.exists()
    with locked(lock) as held:
        assert held
        assert is_held(lock)
    assert not is_held(lock)
    other = os.open(lock, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_SH)  # somebody who looks at this very moment
    assert not is_held(lock)
    os.close(other)


def test_a_worker_starts_though_somebody_looks_whether_one_works(tmp_path: Path) -> None:
    (tmp_path / PLACE).mkdir()
    looking = os.open(tmp_path / PLACE / "worker.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)
    threading.Timer(0.3, os.close, (looking,)).start()
    assert worker.work(tmp_path) == 0  # and not ALREADY_RUNNING: nobody would work the queue off


def test_whether_a_worker_works_is_told_where_nothing_may_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PLACE).mkdir()
    lock = tmp_path / PLACE / "worker.lock"
    lock.touch()
    real = os.open

    def read_only(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & (os.O_RDWR | os.O_WRONLY | os.O_CREAT):
            raise OSError(errno.EROFS, "", str(path))
        return real(path, flags, *more, **named)

    monkeypatch.setattr("wbtui.store.lock.os.open", read_only)
    assert not worker.worker_lives(tmp_path)


def test_a_lock_ends_with_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holding = (
        "import sys, time, pathlib; from wbtui.store.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    words = [sys.executable, "-c", holding, str(lock)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=child_environment()) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert is_held(lock)
        holder.kill()
    assert not is_held(lock)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_handle: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "lock").touch()
    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StoreWriteError, match=os.strerror(number)), locked(tmp_path / "lock"):
        raise AssertionError("never held")
    with pytest.raises(StoreWriteError, match=os.strerror(number)):
        is_held(tmp_path / "lock")
