"""What the reliability tests share: short real runs, their bytes, their event lines, and commands."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from living_runs import PATIENCE, processes_of

from wbtui.config import RunConfig
from wbtui.launch.environment import child_environment
from wbtui.launch.start import make_run
from wbtui.presets import resolve
from wbtui.store.events import EventReader, parse_event
from wbtui.store.format import Event
from wbtui.store.index import RunIndex
from wbtui.store.reader import open_run

KILLS = int(os.environ.get("WBTUI_KILLS", "4"))
"""How often each kind of process is killed."""
SECONDS = float(os.environ.get("WBTUI_SECONDS", "8"))
"""How long everything works together; from 30 on the tests that take half a minute run too."""

EPOCHS = 4
DIGITS = ("--preset", "digits_lt", "--device", "cpu", "--set", "threads=1")


@dataclass(frozen=True)
class Whole:
    """An uninterrupted run."""

    files: dict[str, bytes]
    seconds: float


def make(runs: Path, *settings: str, epochs: int = EPOCHS) -> tuple[Path, RunConfig]:
    """A short digits run that nobody works on yet: always the same one."""
    values = [
        f"stages.0.epochs={epochs}",
        "threads=1",
        "device=cpu",
        "checkpoint.every_seconds=0.2",
        *settings,
    ]
    resolved = resolve("digits_lt", "wd", settings=values)
    return make_run(runs, resolved), resolved.config


def outcome_files(folder: Path) -> dict[str, bytes]:
    """Series, matrices and predictions: what must not depend on who was killed."""
    return {
        f"{name}/{path.name}": path.read_bytes()
        for name in ("series", "matrices", "predictions")
        for path in sorted((folder / name).iterdir())
    }


def events_of(folder: Path) -> list[Event]:
    """The events of a run, each line whole or skipped by the reader, and its numbers without a gap."""
    data = (folder / "events.jsonl").read_bytes() if (folder / "events.jsonl").exists() else b""
    lines = [line for line in data.split(b"\n")[:-1] if line]
    whole = [event for event in map(parse_event, lines) if event is not None]
    reader = EventReader(folder)
    found: list[Event] = []
    more = True
    while more:
        batch = reader.poll()
        found += batch.events
        more = batch.more
    assert found == whole
    assert reader.bad_lines == len(lines) - len(whole)
    assert [event.seq for event in found] == list(range(len(found)))
    return found


def assert_listed_truly(folder: Path) -> str:
    """A run that nobody works on is listed, with the state that its own last words leave as the only one; that."""
    assert processes_of(folder) == []
    row = next(row for row in RunIndex(folder.parent).listing().rows if row.id == folder.name)
    state, result = open_run(folder).state(), open_run(folder).result
    assert (row.state, row.problem) == (state.name, None)
    last = events_of(folder)
    said = last[-1].fields["outcome"] if last and last[-1].type == "end" else "crashed"
    assert state.name == (result.outcome if result else said), state
    assert result is None or result.outcome == said
    return state.name


def wbtui(*arguments: str, runs: Path, powerless: bool = False) -> "subprocess.CompletedProcess[str]":
    """Run a command with pipes for its output.

    Args:
        arguments: of the command line.
        runs: the folder of runs.
        powerless: whether permissions hold for it even where the tests run as root (Linux).
    """
    words = command(*arguments, runs=runs)
    return subprocess.run(
        under(POWERLESS, words) if powerless and sys.platform == "linux" else words,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=child_environment() | {"COLUMNS": "200"},
        timeout=PATIENCE,
        check=False,
    )


def wbtui_each(
    commands: Iterable[Sequence[str]], runs: Path, powerless: bool = False
) -> list["subprocess.CompletedProcess[str]"]:
    """Run commands one after another in one process, which starts but once; see `wbtui`."""
    words = [sys.executable, "-c", _EACH, str(runs)]
    done = subprocess.run(
        under(POWERLESS, words) if powerless and sys.platform == "linux" else words,
        input=json.dumps([list(command) for command in commands]),
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment() | {"COLUMNS": "200"},
        timeout=PATIENCE,
        check=True,
    )
    return [subprocess.CompletedProcess(*json.loads(line)) for line in done.stdout.splitlines()]


_EACH = """
import contextlib, io, json, sys
from wbtui.cli.main import main
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*words, "--runs", sys.argv[1]])
    print(json.dumps([words, code, out.getvalue(), err.getvalue()]), flush=True)
"""


def command(*arguments: str, runs: Path) -> Sequence[str]:
    """The words of a command line."""
    return [sys.executable, "-m", "wbtui", *arguments, "--runs", str(runs)]


def under(setup: str, words: Sequence[str]) -> list[str]:
    """The words of a command that starts only after some Python has set limits on its own process."""
    return [sys.executable, "-c", f"import os, sys; {setup}; os.execv(sys.argv[1], sys.argv[1:])", *words]


POWERLESS = "import ctypes; [ctypes.CDLL(None).prctl(24, power, 0, 0, 0) for power in (1, 2)]"
"""Root's powers over permissions of files are gone for good: PR_CAPBSET_DROP of CAP_DAC_OVERRIDE, _READ_SEARCH."""


def no_larger_than(most_bytes: int) -> str:
    """No file that the process makes is larger: a full disk, as a process sees it."""
    return f"import resource as r; r.setrlimit(r.RLIMIT_FSIZE, ({most_bytes}, r.RLIM_INFINITY))"
