"""Commands in a process of their own, with pipes or on a terminal."""

import contextlib
import math
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from living_runs import PATIENCE

from wbtui.launch.environment import child_environment

WBTUI = [sys.executable, "-m", "wbtui"]


def wbtui(*arguments: str, runs: Path, timeout: float = PATIENCE) -> "subprocess.CompletedProcess[str]":
    """Run a command with pipes for its output."""
    return subprocess.run(
        [*WBTUI, *arguments, "--runs", str(runs)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=child_environment(),
        timeout=timeout,
        check=False,
    )


class Terminal:
    """A command on a terminal of its own, which it is the session leader of."""

    def __init__(self, arguments: Sequence[str], runs: Path) -> None:
        self.text = ""
        environment = child_environment() | {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            # Whoever runs the tests under nohup, or in the background of a script, hands down others.
            for number in (signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.execve(sys.executable, [*WBTUI, *arguments, "--runs", str(runs)], environment)

    def read_until(self, text: str) -> None:
        """Read until a text has come."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            self._read()

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the other end is closed
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def break_off(self, key: str) -> int:
        """Answer a question by Ctrl-C or Ctrl-D; the exit code.

        A signal that comes after Python's last look and before `read` waits for the next one (one in 400): so the
        key is pressed every second.
        """
        pressed = -math.inf
        alive = True
        while alive:
            if time.monotonic() - pressed > 1:
                self.press(key)
                pressed = time.monotonic()
            alive = self._read()
        return self.wait()

    def hang_up(self) -> int:
        """Close the terminal; how the command ended, a signal as a negative number."""
        os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def wait(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        with contextlib.suppress(OSError):
            os.close(self._master)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
