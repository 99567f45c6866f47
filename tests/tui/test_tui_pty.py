"""Does the dashboard do in a real terminal what it does in tests: start, show, stop and find a run again, by keys?"""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from living_runs import PATIENCE, processes_of, state_of, wait_until_over

from wbtui.launch.environment import child_environment
from wbtui.store.ids import run_ids
from wbtui.store.reader import open_run

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which makes the terminal")

EPOCHS = 999
"""More than are done before the run is stopped."""


class Tmux:
    """A terminal of 120 x 40 cells with a shell in it, in a server of its own.

    Args:
        place: An empty folder; the shell stands in it.
    """

    def __init__(self, place: Path) -> None:
        self._name = f"wbtui-{uuid.uuid4().hex[:12]}"
        self._place = place
        known = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        self._environment = child_environment() | known
        self._environment.pop("TMUX", None)
        self._do("-f", os.devnull, "new-session", "-d", "-x", "120", "-y", "40", "sh")

    def _do(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._name, "-u", *words],
            cwd=self._place,
            env=self._environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def screen(self) -> str:
        """What stands on the terminal now."""
        return self._do("capture-pane", "-p", "-t", ":")

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._do("send-keys", "-t", ":", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys, named as tmux names them."""
        self._do("send-keys", "-t", ":", *keys)

    def until(self, what: Callable[[str], object]) -> str:
        """Wait until the terminal shows something; what stands on it then."""
        deadline = time.monotonic() + PATIENCE
        while not what(screen := self.screen()):
            assert time.monotonic() < deadline, screen
            time.sleep(0.1)
        return screen

    def next_field(self, name: str) -> None:
        """Go to the next field of a form and wait until the cursor is there."""
        self.press("Tab")
        self.until(lambda _: name in self._line_of_cursor())

    def _line_of_cursor(self) -> str:
        told = self._do(
            "capture-pane", "-p", "-t", ":", ";", "display-message", "-p", "-t", ":", "#{cursor_y}"
        )
        *lines, row = told.splitlines()
        return lines[int(row)]

    def shows(self, text: str) -> str:
        """Wait until the terminal shows a text."""
        return self.until(lambda screen: text in screen)

    def close(self) -> None:
        """End the server and what hangs on it."""
        self._do("kill-server")


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs; processes that outlive the test are ended."""
    folder = tmp_path / "runs"
    yield folder
    for process in processes_of(folder):
        process.kill()


@pytest.fixture
def terminal(tmp_path: Path, runs: Path) -> Iterator[Tmux]:
    place = tmp_path / "place"
    place.mkdir()
    opened = Tmux(place)
    yield opened
    opened.close()


def epoch_of(screen: str) -> int:
    """How far the run has come, as the table says."""
    done = [word for word in screen.split() if word.endswith(f"/{EPOCHS}")]
    return int(done[0].partition("/")[0]) if done else 0


def test_a_run_is_started_watched_stopped_and_found_again_by_keys(terminal: Tmux, runs: Path) -> None:
    command = f"{sys.executable} -m wbtui --runs {runs}; echo closed $?"
    terminal.type(command)
    terminal.press("Enter")
    terminal.shows("R   and then enter trains")

    terminal.press("R")
    terminal.shows("1 run, 150 epochs")
    for field in ("variant", "seed", "device"):
        terminal.next_field(field)
    terminal.type("cpu")
    terminal.next_field("settings")
    terminal.type(f"stages.0.epochs={EPOCHS} threads=1")
    terminal.shows(f"1 run, {EPOCHS} epochs")
    terminal.press("Enter")
    terminal.until(lambda screen: "1 running" in screen and epoch_of(screen) >= 1)
    first = epoch_of(terminal.screen())
    screen = terminal.until(lambda screen: epoch_of(screen) > first)
    (name,) = run_ids(runs)
    short = name.rsplit("-", 1)[-1][:4]
    assert short in screen

    terminal.press("I")
    asked = terminal.shows(f"Stop {short}")
    assert "pid" in asked
    terminal.press("y")
    terminal.shows("1 stopped")
    wait_until_over(runs / name)
    assert 0 < open_run(runs / name).history.last_epoch < EPOCHS

    terminal.press("q")
    terminal.shows("closed 0")
    assert state_of(runs / name).name == "stopped"

    terminal.type(command)
    terminal.press("Enter")
    last = open_run(runs / name).history.last_epoch
    found = terminal.until(lambda screen: short in screen and epoch_of(screen) == last)
    assert "1 stopped" in found
    assert "stopped by control/stop" in found
    terminal.press("q")
    terminal.until(lambda screen: screen.count("closed 0") == 2)


def test_what_is_pasted_into_the_form_at_once_goes_to_its_fields(terminal: Tmux, runs: Path) -> None:
    terminal.type(f"{sys.executable} -m wbtui --runs {runs}; echo closed $?")
    terminal.press("Enter")
    terminal.shows("R   and then enter trains")
    terminal.press("R")
    terminal.shows("1 run, 150 epochs")
    terminal.type("\tce\t0,1\t\tstages.0.epochs=3\tagain")
    screen = terminal.shows("2 runs, 3 epochs each")
    rows = [line.split("│")[1].split() for line in screen.splitlines() if line.count("│") >= 2]
    typed = {words[0]: words[1] for words in rows if len(words) == 2}
    assert typed["preset"] == "digits_lt"
    assert (typed["variant"], typed["seed"], typed["device"]) == ("ce", "0,1", "auto")
    assert (typed["settings"], typed["name"]) == ("stages.0.epochs=3", "again")
    terminal.press("Escape")  # an escape and a letter in one breath would be another key
    terminal.until(lambda screen: "Start runs" not in screen)
    terminal.press("q")
    terminal.shows("closed 0")


def test_one_that_was_stopped_and_woken_goes_on_and_gives_the_terminal_back_as_it_was(
    terminal: Tmux, runs: Path
) -> None:
    terminal.type(f"{sys.executable} -m wbtui --runs {runs}; echo stopped $?")
    terminal.press("Enter")
    terminal.shows("R   and then enter trains")
    (dashboard,) = processes_of(runs)
    dashboard.send_signal(signal.SIGSTOP)
    stopped = f"stopped {128 + signal.SIGSTOP}"
    terminal.shows(stopped)
    terminal.type("fg")
    terminal.press("C-j")  # the terminal's modes are still the dashboard's
    terminal.until(lambda screen: "R   and then enter trains" in screen and stopped not in screen)
    terminal.press("C-z")
    terminal.until(lambda screen: "Stopped" in screen and "R   and then enter trains" not in screen)
    terminal.type("fg")
    terminal.press("Enter")
    terminal.shows("R   and then enter trains")
    terminal.press("q")
    dashboard.wait(PATIENCE)
    terminal.type("echo $((6 * 7))")
    terminal.press("Enter")
    terminal.until(lambda screen: "$((6 * 7))" in screen and "42" in screen.split())
