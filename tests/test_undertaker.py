"""A test run that is killed leaves no process of its runs behind."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from living_runs import PATIENCE

TESTS = Path(__file__).parent
KILLED = """
import subprocess, sys, time
from pathlib import Path
from undertaker import watching

def asleep(*words):
    command = [sys.executable, "-c", "import time; time.sleep(600)", *words]
    return subprocess.Popen(command, start_new_session=True).pid

with watching(Path(sys.argv[1])):
    print(asleep(sys.argv[1] + "/run"), asleep(sys.argv[2]), flush=True)
    time.sleep(600)
"""


def test_processes_of_a_killed_test_run_are_ended(tmp_path: Path) -> None:
    folders = [str(tmp_path / "mine"), str(tmp_path / "other")]
    command = [sys.executable, "-c", KILLED, *folders]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=TESTS, text=True) as process:
        assert process.stdout is not None
        mine, other = (psutil.Process(int(pid)) for pid in process.stdout.readline().split())
        process.send_signal(signal.SIGKILL)
    try:
        deadline = time.monotonic() + PATIENCE
        while _alive(mine) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not _alive(mine)
        assert _alive(other)
    finally:
        for one in (mine, other):
            if _alive(one):
                one.kill()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
