"""How is the dashboard run as people run it, a process of its own on a terminal of its own, and watched?"""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import psutil

WIDTH, HEIGHT = 120, 40


class Dashboard:
    """The dashboard on a pseudo terminal; close it, or use it in a `with`.

    Args:
        runs: The folder of runs.
        home: An empty folder for the user's settings and cache, so that no key or theme of anybody's is measured.
    """

    def __init__(self, runs: Path, home: Path) -> None:
        self.began = time.perf_counter()
        self.bytes = 0
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.execve(
                sys.executable, [sys.executable, "-m", "wbtui", "--runs", str(runs)], _environment(home)
            )
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.process = psutil.Process(self.pid)

    def __enter__(self) -> "Dashboard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, seconds: float) -> bytes:
        """What it writes within so many seconds; returns at the first piece."""
        ready, _, _ = select.select([self._terminal], [], [], seconds)
        if not ready:
            return b""
        try:
            data = os.read(self._terminal, 1 << 20)
        except OSError:
            return b""
        self.bytes += len(data)
        return data

    def wait_for(self, wanted: bytes, seconds: float = 60.0) -> float:
        """Read until a text appears; the moment."""
        seen, until = b"", time.perf_counter() + seconds
        while time.perf_counter() < until:
            seen = seen[-4096:] + self.read(0.5)
            if wanted in seen:
                return time.perf_counter()
        raise TimeoutError(f"{wanted!r} did not appear: {seen[-300:]!r}")

    def settle(self, quiet: float = 1.2, busy: float = 0.2) -> None:
        """Read until for so many seconds nothing comes and less than a share of a core is used."""
        while True:
            before, came = self.processor_seconds(), self.bytes
            self.drain(quiet)
            if self.bytes == came and self.processor_seconds() - before < busy * quiet:
                return

    def drain(self, seconds: float) -> None:
        """Read for so many seconds."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(left)

    def press(self, keys: bytes) -> None:
        """Press a key."""
        os.write(self._terminal, keys)

    def answer(self, key: bytes, rest: float) -> tuple[float, float]:
        """Press a key and read for a while.

        Args:
            key: What the terminal sends for it.
            rest: Seconds to read on, without the paint.

        Returns:
            Seconds until the first and until the last piece that came.
        """
        began = time.perf_counter()
        self.press(key)
        while not self.read(5.0):
            if time.perf_counter() - began > 60:
                raise TimeoutError(f"nothing answers {key!r}")
        first = last = time.perf_counter()
        while (left := first + rest - time.perf_counter()) > 0:
            if self.read(left):
                last = time.perf_counter()
        return first - began, last - began

    def processor_seconds(self) -> float:
        """Processor time of all its threads so far."""
        if sys.platform == "linux":
            return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's processor clock of another process
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> tuple[float, float]:
        """Resident and unshared memory, in MB."""
        found = self.process.memory_full_info()
        return found.rss / 1e6, found.uss / 1e6

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self.press(b"q")
            self.drain(0.3)
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._terminal)


def _environment(home: Path) -> dict[str, str]:
    """This process's own, but for what changes how the dashboard looks or starts."""
    other = ("NO_COLOR", "WBTUI_RUNS", "PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME")
    kept = {name: value for name, value in os.environ.items() if name not in other and "TEXTUAL" not in name}
    return kept | {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "COLUMNS": str(WIDTH),
        "LINES": str(HEIGHT),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
    }
