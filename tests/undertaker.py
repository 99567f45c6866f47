"""Ends the runs of tests that were killed: trainers are detached on purpose and would go on, a core each.

`python undertaker.py FOLDER` waits until its standard input closes, as it does however its parent ends, and then kills
the processes that have the folder on their command line.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROUNDS = 20
"""Of a tenth of a second: a waiter that is at it may start one more trainer."""


@contextmanager
def watching(folder: Path) -> Iterator[None]:
    """While this lasts, a process of its own waits for the end of this one."""
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield
        assert process.stdin is not None
        process.stdin.close()


def main(folder: str) -> None:
    sys.stdin.buffer.read()
    own = psutil.Process().pid
    for _ in range(ROUNDS):
        found = [
            process
            for process in psutil.process_iter(["cmdline"])
            if process.pid != own
            and any(word.startswith(f"{folder}/") for word in process.info["cmdline"] or [])
        ]
        if not found:
            return
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1])
