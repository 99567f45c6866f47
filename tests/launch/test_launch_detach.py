"""Does a process that leaves its starter work on, whatever becomes of that one?"""

import signal
import subprocess
import sys
from pathlib import Path

from living_runs import wait_for

from wbtui.launch.environment import child_environment

LEAVING = """
import os, signal, sys, time
from pathlib import Path
from wbtui.launch.detach import detached

def work(ready):
    starter = os.getppid()
    os.kill(starter, signal.SIGKILL)
    while os.getppid() == starter:
        time.sleep(0.01)
    ready()
    Path(sys.argv[1]).write_text("went on")
    return 0

detached(work)
"""


def test_who_leaves_works_on_where_its_starter_is_killed_before_it_is_ready(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LEAVING, str(tmp_path / "word")]
    done = subprocess.run(words, stderr=subprocess.PIPE, env=child_environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert done.stderr == b""  # read until the one that stays has ended
    wait_for((tmp_path / "word").exists)
