"""Run folders to look at, made by the store's own writer, and a way to drive the dashboard without a terminal."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from dashboard_helpers import STILL, make_run, still
from pictured_runs import HOST, Clock, make_runs
from textual.pilot import Pilot

from wbtui.launch import queue_files
from wbtui.store import facts, records
from wbtui.store.format import ProcessInfo
from wbtui.tui.app import WbtuiApp
from wbtui.tui.machine import MachineSampler
from wbtui.tui.snapshots import Machine

_DIFFERS = (
    "the screen is not the picture that was kept: look at snapshot_report.html (CONTRIBUTING.md, Pictures)"
)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """An empty folder of runs."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def _paused_queue(runs: Path) -> None:
    """What is queued waits: no worker is started."""
    (runs / queue_files.PLACE).mkdir()
    queue_files.write_settings(runs, queue_files.QueueSettings(paused=True))


@pytest.fixture
def _with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "NO_COLOR" not in os.environ


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture
def _same_everywhere(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[None]:
    """Clock, time zone, machine, processes, sizes on disk and the place of the user's files are always the same."""
    _fix(monkeypatch, clock)
    yield
    monkeypatch.undo()
    time.tzset()


def _fix(patch: pytest.MonkeyPatch, clock: Clock) -> None:
    patch.setattr(time, "time", clock)
    patch.setenv("TZ", "UTC")
    time.tzset()
    patch.delenv("NO_COLOR", raising=False)
    patch.delenv("UNICODE_VERSION", raising=False)  # how wide Rich thinks that characters are
    machine = Machine(34.0, 3_300_000_000, {"percent": 87.0, "watts": 412.0, "celsius": 61.0})
    patch.setattr(MachineSampler, "sample", lambda self: machine)
    patch.setattr("wbtui.store.facts.host", lambda: HOST)
    patch.setattr("wbtui.store.facts._liveness", _alive)
    for room in ("store.summary", "report.overview"):  # file systems count blocks each in their own way
        patch.setattr(f"wbtui.{room}.size_on_disk", lambda folder: 1_430_000)
    patch.setattr("wbtui.tui.screens.help.keymap_file", lambda: Path("~/.config/wbtui/dashboard.toml"))


def _alive(process: ProcessInfo, pid: int | None, created: float | None) -> str:
    return "none" if pid is None else "alive"


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Path:
    """The folder beside which the run folders of all pictures lie; made once."""
    place = tmp_path_factory.mktemp("pictured")
    with pytest.MonkeyPatch.context() as patch:
        _fix(patch, clock)
        make_runs(place, clock)
    time.tzset()
    return place


@pytest.fixture
def picture(
    snap_compare: Callable[..., bool],
    pictured: Path,
    _same_everywhere: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., None]:
    """Open the dashboard on a folder of runs, press keys, and hold the screen against the picture that was kept."""
    monkeypatch.chdir(pictured)  # the folder's path on the pictures is its name

    def look(
        runs: str,
        keys: Sequence[str] = (),
        size: tuple[int, int] = (120, 40),
        *,
        no_color: bool = False,
        toasts: bool = False,
        **options: Any,
    ) -> None:
        (pictured / runs / "views.json").unlink(missing_ok=True)
        if no_color:
            monkeypatch.setenv("NO_COLOR", "1")
        app = WbtuiApp(Path(runs), **options)
        app.animation_level, app.NOTIFICATION_TIMEOUT = "none", 1e9  # a toast stays, however slow the machine

        async def before(pilot: Pilot[None]) -> None:
            await still(app, pilot)
            if not toasts:  # what is said of the runs when they are first seen
                app.clear_notifications()
            for key in keys:
                await (still(app, pilot) if key == STILL else pilot.press(key))
            await still(app, pilot)

        assert snap_compare(app, terminal_size=size, run_before=before), _DIFFERS

    return look


@pytest.fixture
def at_work(runs: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A run whose trainer is a process that only waits."""
    folder = make_run(runs, 7, epochs=2, total=90, outcome=None)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    records.write_process(folder, facts.process_info(1, pid=process.pid, process_group=process.pid))
    records.HeartbeatWriter(folder).beat("training", 3, 1, batches=10)
    yield folder, process
    process.kill()
    process.wait()
