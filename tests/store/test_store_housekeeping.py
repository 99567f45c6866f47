"""Are runs put aside and slimmed without harming one that lives?"""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from store_helpers import Make

from wbtui.errors import UsageError
from wbtui.store import atomic, records
from wbtui.store.errors import StoreWriteError
from wbtui.store.facts import process_info
from wbtui.store.format import ProcessInfo, Result
from wbtui.store.housekeeping import plan_prune, prune, remove_run, restore_run
from wbtui.store.index import RunIndex
from wbtui.store.lock import RUN_LOCK, locked
from wbtui.store.reader import open_run
from wbtui.store.summary import size_on_disk


@pytest.fixture
def living(make_run: Make) -> Path:
    folder = make_run("living", finished=False)
    records.write_process(folder, process_info(1, pid=os.getpid()))
    records.HeartbeatWriter(folder).beat("training", 1, 1)
    return folder


def test_a_run_goes_into_the_bin_and_comes_back_whole(make_run: Make, runs: Path) -> None:
    folder = make_run("a-11112222")
    before = sorted((path.name, path.stat().st_mtime_ns) for path in folder.rglob("*"))
    gone = remove_run(runs, "a-11112222")
    assert gone == runs / ".bin" / "a-11112222"
    assert RunIndex(runs).listing().rows == ()
    assert restore_run(runs, "1111") == folder
    assert sorted((path.name, path.stat().st_mtime_ns) for path in folder.rglob("*")) == before
    with pytest.raises(UsageError, match="no runs here"):
        restore_run(runs, "1111")


def test_a_living_or_queued_run_is_not_removed(living: Path, make_run: Make, runs: Path) -> None:
    with pytest.raises(UsageError, match=r"running \(heartbeat .* stop it first"):
        remove_run(runs, "living")
    queued = make_run("queued", epochs=0, finished=False)
    (queued / "queue.json").write_text("{}")
    with pytest.raises(UsageError, match="queued"):
        remove_run(runs, "queued")
    assert living.exists()


def test_nothing_but_a_folder_of_runs_is_moved(make_run: Make, runs: Path, tmp_path: Path) -> None:
    make_run("a")
    (runs / "link").symlink_to(tmp_path)
    for name in ("link", "missing", "..", ".bin/.."):
        with pytest.raises(UsageError):
            remove_run(runs, name)
    remove_run(runs, "a")
    make_run("a")
    with pytest.raises(UsageError, match="there already"):
        remove_run(runs, "a")


def test_pruning_says_first_what_it_would_delete(make_run: Make, living: Path, runs: Path) -> None:
    finished, stopped = make_run("finished"), make_run("stopped", finished=False)
    records.write_result(stopped, Result(1, "stopped", "asked"))
    for folder in (finished, stopped, living):
        (folder / "checkpoint.pt").write_bytes(b"x" * 1000)
        (folder / "best.pt").write_bytes(b"x" * 500)
    plan = plan_prune([finished, stopped, living])
    assert plan.files == ((finished / "checkpoint.pt", 1000),)
    assert [(folder, why.split()[0]) for folder, why in plan.kept] == [
        (stopped, "stopped"),
        (living, "running"),
    ]
    assert (finished / "checkpoint.pt").exists()
    assert prune(plan) == 1000
    assert not (finished / "checkpoint.pt").exists()
    all_of_it = plan_prune([finished, stopped, living], keep_best=False, unfinished=True)
    assert all_of_it.bytes == 500 + 1500
    assert prune(all_of_it, unfinished=True) == 2000
    assert (living / "checkpoint.pt").exists()


def test_a_damaged_run_keeps_its_checkpoint(make_run: Make) -> None:
    whole, damaged = make_run("whole"), make_run("damaged")
    for folder in (whole, damaged):
        (folder / "checkpoint.pt").write_bytes(b"x" * 1000)
    (damaged / "notes.json").write_text("garbage")
    plan = plan_prune([whole, damaged])
    assert plan.files == ((whole / "checkpoint.pt", 1000),)
    ((folder, why),) = plan.kept
    assert (folder, why.split()[0]) == (damaged, "damaged:")


def test_a_run_taken_up_since_the_plan_keeps_its_checkpoint(make_run: Make) -> None:
    folder = make_run("a")
    (folder / "checkpoint.pt").write_bytes(b"x")
    plan = plan_prune([folder])
    records.begin_attempt(folder)
    records.write_process(folder, process_info(2, pid=os.getpid()))
    assert prune(plan) == 0
    assert (folder / "checkpoint.pt").exists()


def test_a_run_that_a_waiter_has_just_taken_up_stays_and_keeps_its_checkpoint(
    make_run: Make, runs: Path
) -> None:
    """Before its process.json is written: the attempt before is put aside, and its end event still counts."""
    folder = make_run("a-11112222")
    (folder / "checkpoint.pt").write_bytes(b"x")
    plan = plan_prune([folder])
    with locked(folder / RUN_LOCK) as held:
        assert held
        records.begin_attempt(folder)
        assert open_run(folder).state().terminal
        assert prune(plan) == 0
        with pytest.raises(UsageError, match="a process works on it"):
            remove_run(runs, "a-11112222")
    assert prune(plan) == 1
    assert remove_run(runs, "a-11112222").is_dir()


def test_nobody_takes_a_run_up_while_it_is_moved(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("a-11112222")
    with locked(folder / RUN_LOCK):
        pass
    taken = []
    rename = Path.rename

    def moved(path: Path, target: Path) -> Path:
        with locked(path / RUN_LOCK) as held:
            taken.append(held)
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", moved)
    remove_run(runs, "a-11112222")
    assert taken == [False]


def test_size_counts_what_is_there_and_follows_no_link(make_run: Make) -> None:
    folder = make_run()
    before = size_on_disk(folder)
    (folder / "checkpoint.pt").write_bytes(os.urandom(100_000))
    (folder / "link").symlink_to("/usr")
    os.truncate(folder / "checkpoint.pt", 10 << 30)  # sparse: takes no more
    assert 100_000 <= size_on_disk(folder) - before < 200_000


def test_a_small_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    atomic.write_json(path, {"n": 1})

    def full(handle: int) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", full)
        with pytest.raises(StoreWriteError, match="No space") as caught:
            atomic.write_json(path, {"n": 2})
    assert caught.value.disk_full
    assert path.read_text() == '{"n":1}\n'
    assert [found.name for found in tmp_path.iterdir()] == ["a.json"]
    with pytest.raises(StoreWriteError):
        atomic.write_json(tmp_path / "missing" / "a.json", {})


def test_a_file_system_that_knows_no_modes_takes_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, _mode: int) -> None:
        raise PermissionError(errno.EPERM, "")

    monkeypatch.setattr(atomic.os, "fchmod", refuse)
    atomic.write_json(tmp_path / "a.json", {"n": 1})
    assert (tmp_path / "a.json").read_bytes() == b'{"n":1}\n'


def test_a_run_of_a_host_whose_clock_is_off_is_not_removed_while_its_waiter_holds_the_lock(
    make_run: Make,
) -> None:
    folder = make_run(finished=False)
    records.write_process(folder, ProcessInfo(1, "elsewhere", pid=1, created=1.0, written=1.0))
    assert open_run(folder).state().name == "unknown"  # its heartbeats are not believed
    (folder / "control").mkdir()
    with (folder / "control" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="a process works on it"):
            remove_run(folder.parent, folder.name)
    assert remove_run(folder.parent, folder.name).is_dir()
