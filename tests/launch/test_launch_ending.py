"""What is concluded from an exit code, a signal, an `end` event, a log and the kernel's counters."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wbtui.launch import oom
from wbtui.launch.ending import ERROR_LINES, Ending, judge, signal_name
from wbtui.launch.environment import child_environment
from wbtui.launch.oom import KillCount
from wbtui.store.records import request_stop
from wbtui.store.writer import RunWriter


def ending(folder: Path) -> Ending:
    return Ending(folder, attempt=1, started=time.time() - 5)


def test_an_end_event_outranks_the_exit(tmp_path: Path) -> None:
    seen = ending(tmp_path)
    with RunWriter.open(tmp_path) as writer:
        writer.event("start", epochs=1, classes=2)
        writer.event(
            "end", outcome="finished", reason="all epochs done", final={"test.accuracy.all": 0.5}, best={}
        )
    result = judge(seen, -signal.SIGSEGV, "")
    assert (result.outcome, result.reason, result.signal) == ("finished", "all epochs done", signal.SIGSEGV)
    assert result.final == {"test.accuracy.all": 0.5}
    assert (result.started, result.seconds) == (seen.started, result.ended - seen.started)


def test_an_end_event_of_an_earlier_attempt_says_nothing_about_this_one(tmp_path: Path) -> None:
    with RunWriter.open(tmp_path) as writer:
        writer.event("start", epochs=1, classes=2)
        writer.event("end", outcome="stopped", reason="stopped by SIGINT", final={}, best={})
    result = judge(ending(tmp_path), -signal.SIGKILL, "")
    assert result.outcome == "crashed"
    assert "SIGKILL" in result.reason


@pytest.mark.parametrize(
    ("code", "outcome"), [(1, "failed"), (2, "failed"), (130, "stopped"), (0, "crashed"), (77, "crashed")]
)
def test_without_an_end_event_the_exit_code_decides(tmp_path: Path, code: int, outcome: str) -> None:
    seen = ending(tmp_path)
    (tmp_path / "output.log").write_text("Traceback\n  ...\nImportError: no module\n\n")
    result = judge(seen, code, "")
    assert (result.outcome, result.exit_code) == (outcome, code)
    assert "ImportError: no module" in result.reason
    assert bool(result.error) is (outcome != "stopped")


def test_a_kill_that_was_asked_for_is_a_stop(tmp_path: Path) -> None:
    seen = ending(tmp_path)
    request_stop(tmp_path)
    assert judge(seen, -signal.SIGKILL, "").outcome == "stopped"
    assert judge(seen, -signal.SIGSEGV, "").outcome == "crashed"


def test_the_out_of_memory_killer_is_named(tmp_path: Path) -> None:
    result = judge(ending(tmp_path), -signal.SIGKILL, "out of memory: ...")
    assert (result.outcome, result.reason) == ("crashed", "out of memory: ...")


def test_only_the_last_lines_of_this_attempts_log_are_kept_and_made_harmless(tmp_path: Path) -> None:
    log = tmp_path / "output.log"
    log.write_text("of an earlier attempt\n")
    seen = ending(tmp_path)
    with log.open("a") as file:
        file.writelines(f"line {i} \x1b[31m\n" for i in range(200))
    kept = seen.log().splitlines()
    assert len(kept) == ERROR_LINES
    assert kept[-1] == "line 199 <U+001B>[31m"
    log.write_text("")
    assert seen.log() == ""


def test_signals_have_names() -> None:
    assert signal_name(9) == "SIGKILL"
    assert signal_name(63) == "signal 63"


def test_counters_of_both_cgroup_versions_and_of_the_machine_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "job").mkdir()
    cgroup, events, machine = tmp_path / "cgroup", tmp_path / "job" / "memory.events", tmp_path / "vmstat"
    monkeypatch.setattr(oom, "_CGROUPS", cgroup)
    monkeypatch.setattr(oom, "_MOUNTS", (tmp_path,))
    monkeypatch.setattr(oom, "_MACHINE", machine)
    assert oom.kill_count() == KillCount(None, None)
    machine.write_text("pgfault 12\noom_kill 4\n")
    cgroup.write_text("5:cpu:/elsewhere\n0::/job\n")
    events.write_text("oom 3\noom_kill 2\n")
    assert oom.kill_count() == KillCount(2, 4)
    events.unlink()
    (tmp_path / "job" / "memory.oom_control").write_text("under_oom 0\noom_kill 7\n")
    cgroup.write_text("4:memory:/job\n")
    assert oom.kill_count() == KillCount(7, 4)


def test_the_killer_is_suspected_only_where_a_counter_rose() -> None:
    assert KillCount(3, 9).struck_since(KillCount(2, 8)).startswith("out of memory")
    assert KillCount(None, 9).struck_since(KillCount(None, 8)).startswith("probably")
    assert KillCount(2, 9).struck_since(KillCount(2, 8)) == ""  # it struck somebody else
    assert KillCount(None, None).struck_since(KillCount(None, None)) == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_log_that_takes_no_more_ends_nobody() -> None:
    code = "from wbtui.store.errors import complain; complain('the disk is full'); print('and on')"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            stderr=full,
            env=child_environment(),
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, b"and on\n")
