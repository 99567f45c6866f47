"""The page of one run, the start form, stopping and resuming, the queue."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, said, screen_lines, screen_text, settled, until
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input, Static

from wbtui.errors import UsageError
from wbtui.launch import queue_files
from wbtui.launch import start as launch_start
from wbtui.presets import Resolved, resolve
from wbtui.report.decay import run_notice
from wbtui.store import facts, records
from wbtui.store.format import BIN, LOG, SYSTEM
from wbtui.store.ids import run_ids
from wbtui.store.reader import open_run
from wbtui.store.writer import RunWriter
from wbtui.tui.app import WbtuiApp
from wbtui.tui.form import FormValues
from wbtui.tui.screens.dialogs import Confirm, Prompt
from wbtui.tui.screens.queue import QueueScreen
from wbtui.tui.screens.run import PAGES, RunScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.screens.start import StartScreen
from wbtui.tui.widgets.panel_grid import PanelGrid
from wbtui.tui.widgets.text_pane import TextPane


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


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
def test_every_page_of_a_run_shows_something(runs: Path, size: tuple[int, int]) -> None:
    folder = make_run(runs)
    (folder / LOG).write_text("a line\n")
    (folder / SYSTEM).write_text(
        '{"t": 5, "cpu_percent": 40, "gpu": {"watts": 200}}\n{"t": 10, "cpu_percent": 60}\n'
    )

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("enter")
            screen = app.screen
            assert isinstance(screen, RunScreen)
            pane, grid = screen.query_one(TextPane), screen.query_one(PanelGrid)
            await until(pilot, lambda: "weight_decay" in pane.text)
            assert folder.name in screen_text(app)
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert "accuracy" in grid.in_sight
            await pilot.press("right_square_bracket")
            await settled(app, pilot)
            assert grid.in_sight[0] == "feature_norm@class"
            keys = [spec.key for spec in screen.specs]
            assert "confusion@matrix" in keys
            assert "bn_scale@layer" in keys
            await pilot.press("right_square_bracket")
            assert "a line" in screen_text(app)
            await pilot.press("right_square_bracket")
            await pilot.pause()
            assert any("Processor of this run" in spec.title for spec in screen.specs)
            assert any("GPU power" in spec.title for spec in screen.specs)
            await pilot.press("right_square_bracket")
            assert screen.page == PAGES[0]
            await pilot.press("escape")
            assert isinstance(app.screen, RunsScreen)

    drive(look)


def test_a_failed_run_shows_its_traceback_on_enter(runs: Path) -> None:
    make_run(
        runs, outcome="failed", error="Traceback (most recent call last):\n  ValueError: [bold]no\x1b[31m"
    )

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, lambda: "ValueError: [bold]no<U+001B>[31m" in screen_text(app))

    drive(look)


def test_taking_out_of_the_queue_shows_at_once(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_files.enqueue(runs, [queued_run(runs, 0), queued_run(runs, 1)])
    may = threading.Event()
    real = queue_files.take_out

    def slowly(folder: Path) -> bool | None:
        may.wait(30)
        return real(folder)

    monkeypatch.setattr(queue_files, "take_out", slowly)

    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("Q")
            await until(pilot, lambda: "2 waiting" in screen_text(app))
            await pilot.press("x")
            await pilot.pause()
            assert screen_text(app).count("taking out ...") == 1
            await pilot.press("x")  # no second time
            may.set()
            await until(pilot, lambda: "1 waiting" in screen_text(app))
            assert "taking out" not in screen_text(app)

    drive(look)


def queued_run(runs: Path, seed: int) -> Path:
    return launch_start.make_run(runs, resolve("digits_lt", "wd", options={"seed": seed}))


def test_the_log_page_tells_what_happened_to_the_run(runs: Path) -> None:
    folder = make_run(runs)
    with RunWriter.open(folder) as writer:
        writer.event("stop", reason="stopped by control/stop")
        writer.event("end", outcome="stopped", reason="stopped by [b]control/stop[/]")
        writer.event("resume", attempt=2, from_epoch=5)
        writer.event("stage", stage=0, name="all", epochs=7, first_epoch=1)
        writer.event("stage", stage=1, name="classifier", epochs=3, first_epoch=8)
        writer.event("alert", epoch=6, kind="loss", message="loss is \x1b[2JNaN")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "left_square_bracket", "left_square_bracket")
            await until(pilot, lambda: "printed nothing" in screen_text(app))
            lines = [line.strip() for line in app.screen.query_one(TextPane).text.splitlines()]
            told = [line.split("  ", 1)[1] for line in lines if line[:2] == "20"]
            assert told[-6:] == [
                "stop: stopped by control/stop",
                "end: stopped, stopped by [b]control/stop[/]",
                "resume: attempt 2, after epoch 5",
                "stage all goes on at epoch 6: 7 epochs from epoch 1",
                "stage classifier: 3 epochs from epoch 8",
                "⚠ epoch 6: loss is <U+001B>[2JNaN",
            ]
            with RunWriter.open(folder) as writer:
                writer.event("end", outcome="finished", reason="all epochs done")
            await until(pilot, lambda: "end: finished, all epochs done" in screen_text(app))

    drive(look)


def test_the_log_is_literal_searched_and_followed(runs: Path) -> None:
    folder = make_run(runs)
    log = folder / LOG
    log.write_text(
        "[red]not markup[/]\n\x1b[2Jnor this\n" + "\n".join(f"line {i}" for i in range(500)) + "\n"
    )

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter", "left_square_bracket", "left_square_bracket")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "line 499" in screen_text(app))
            with log.open("a") as file:
                file.write("one more\n")
            await until(pilot, lambda: "one more" in screen_text(app))
            await pilot.press("home")
            assert "[red]not markup[/]" in screen_text(app)
            assert "<U+001B>[2Jnor this" in screen_text(app)
            with log.open("a") as file:
                file.write("and another\n")
            await until(pilot, lambda: "and another" in pane.text)
            assert "and another" not in screen_text(app)
            await pilot.press("slash", *"LINE 250", "enter")
            await pilot.pause()
            assert "line 250" in screen_text(app)
            await pilot.press("slash", *"zzz", "enter")
            await pilot.pause()
            assert "does not stand here" in said(app)
            await pilot.press("end")
            assert "and another" in screen_text(app)

    drive(look)


def test_stop_asks_naming_the_run_and_then_asks_the_run(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            assert "running" in screen_text(app)
            await pilot.press("I")
            assert isinstance(app.screen, Confirm)
            text = screen_text(app)
            assert app.short(folder.name) in text
            assert "heartbeat" in text
            await pilot.press("enter")
            assert isinstance(app.screen, Confirm)
            assert "press y to stop it, n or esc to leave it" in screen_text(app)
            await pilot.press("n")
            assert not records.stop_requested(folder)
            await pilot.press("I", "y")
            await until(pilot, lambda: records.stop_requested(folder))
            await until(pilot, lambda: "stopping" in screen_text(app))
            assert process.poll() is None

    drive(look)


def test_what_a_question_says_of_a_run_stays_true_while_it_is_open(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]
) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("I")
            assert f"{app.short(folder.name)}: running, heartbeat" in screen_text(app)
            process.kill()
            process.wait()
            await until(pilot, lambda: f"{app.short(folder.name)}: crashed, " in screen_text(app))
            assert isinstance(app.screen, Confirm)

    drive(look)


@pytest.mark.parametrize("key", ["T", "K"])
def test_terminate_and_kill_end_the_process(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]], key: str
) -> None:
    _, process = at_work

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press(key, "y")
            await until(pilot, lambda: process.poll() is not None)
            await until(pilot, lambda: "crashed" in screen_text(app))

    drive(look)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_page_of_a_run_shows_the_whole_evidence_of_its_state(
    runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]], size: tuple[int, int]
) -> None:
    _, process = at_work

    async def look() -> None:
        async with opened(runs, size) as (app, pilot):
            await pilot.press("enter")
            await settled(app, pilot)
            top = screen_lines(app)[:2]
            assert " running" in top[0]
            assert "epoch 2/90" in top[0]
            assert re.search(rf"heartbeat \d+ s old, pid {process.pid} alive $", top[1])
            if size[0] == 120:
                assert "training batch 1/10" in top[0]

    drive(look)


def test_a_table_without_room_for_all_columns_names_those_that_are_left_out(runs: Path) -> None:
    make_run(runs, epochs=30, total=30)

    async def look() -> None:
        async with opened(runs, (60, 40)) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            table = pane.text[pane.text.index("By epoch") :].split("\n\n")[0].splitlines()
            assert max(map(len, table)) <= 59
            assert table[-1].strip() == "no room for: stage, BN scale"
            await pilot.resize_terminal(120, 40)
            await until(pilot, lambda: "no room for" not in pane.text)

    drive(look)


def test_the_overview_speaks_as_the_dashboard_does(runs: Path) -> None:
    make_run(runs, epochs=30, total=30)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("enter")
            pane = app.screen.query_one(TextPane)
            await until(pilot, lambda: "By epoch" in pane.text)
            assert "By epoch, 12 of 30 epochs (] draws all)\n" in pane.text
            headings = [
                line.split() for line in pane.text.splitlines() if line.split()[:1] in (["split"], ["epoch"])
            ]
            assert len(headings) == 2
            for heading in headings:
                first = heading.index("All")
                assert heading[first : first + 4] == ["All", "Head", "Med", "Tail"]

    drive(look)


def test_nothing_to_stop_is_said(runs: Path) -> None:
    make_run(runs)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("K")
            await pilot.pause()
            assert "nothing to stop" in said(app)
            await pilot.press("r")
            await until(pilot, lambda: "finished, nothing is left to do" in said(app))

    drive(look)


def test_quitting_leaves_runs_at_work(runs: Path, at_work: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = at_work

    async def look() -> None:
        async with opened(runs) as (_, pilot):
            await pilot.press("q")

    drive(look)
    assert process.poll() is None
    assert open_run(folder).state().living


def test_the_form_refuses_wrong_values_beside_their_field(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            for name, value, wanted in (
                ("preset", "digits_l", "did you mean 'digits_lt'"),
                ("variant", "wdd", "no variant is called 'wdd'"),
                ("seed", "x", "whole numbers"),
                ("device", "gpu", "device"),
                ("settings", "stages.0.epochs=many", "valid integer"),
            ):
                field = screen.query_one(f"#{name}", Input)
                before, field.value = field.value, value
                await until(pilot, lambda name=name: screen.query_one(f"#wrong-{name}").display)
                assert wanted in str(screen.query_one(f"#wrong-{name}").render())
                await pilot.press("enter")
                assert not run_ids(runs)
                field.value = before
                await until(pilot, lambda name=name: not screen.query_one(f"#wrong-{name}").display)
            screen.query_one("#settings", Input).value = "stages.0.epochs=3"
            meaning = screen.query_one("#meaning", Static)
            await until(pilot, lambda: "--set stages.0.epochs=3" in str(meaning.render()))
            assert "wbtui run --preset digits_lt" in str(meaning.render())
            assert "150 → 3" in screen_text(app)
            await pilot.press("escape")
            assert not run_ids(runs)

    drive(look)


def test_the_keys_of_the_form_stand_below_it_however_much_it_says(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("R")
            app.screen.query_one(
                "#settings", Input
            ).value = "stages.0.epochs=1 stages.0.schedule=cosine_papers stages.0.batch_size=32 model.width=2"
            await until(pilot, lambda: "learning rate 0" in str(app.screen.query_one("#meaning").render()))
            await pilot.pause()
            assert "completes   esc back" in screen_text(app)
            await pilot.resize_terminal(120, 40)
            await pilot.pause()
            assert "1 run, 1 epoch" in screen_text(app)
            assert "esc back" in screen_text(app)

    drive(look)


BURST = ("tab", *"ce", "tab", *"0,1", "tab", "tab", *"stages.0.epochs=3", "tab", "tab", "shift+tab", *"again")
"""Keys of a paste or of a line that lagged."""


def post_at_once(app: WbtuiApp, keys: Iterable[str]) -> None:
    """Hand keys to the application as a driver does that read them all at once."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, key if len(key) == 1 else None))


def test_keys_that_come_at_once_go_to_their_fields(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (60, 16)) as (app, pilot):
            await pilot.press("R")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            post_at_once(app, BURST)
            await until(pilot, lambda: len(screen._answer.resolved) == 2)
            assert screen.values == FormValues(
                "digits_lt", "ce", "0,1", "auto", "stages.0.epochs=3", name="again"
            )
            shown = screen_text(app)
            assert "2 runs, 3 epochs each" in shown  # what it means and the keys also stand on a small screen
            assert "esc back" in shown

    drive(look)


def test_enter_waits_for_the_keys_before_it_in_every_field(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[FormValues, int]] = []

    def begin(
        runs: Path, resolved: Sequence[Resolved], values: FormValues, command: str, *, queue: bool
    ) -> list[Path]:
        asked.append((values, resolved[0].config.total_epochs))
        raise UsageError("enough is known")

    take_key = Input._on_key

    async def take_key_slowly(field: Input, event: events.Key) -> None:
        await asyncio.sleep(0.002 if field.id == "settings" else 0)
        await take_key(field, event)

    monkeypatch.setattr("wbtui.tui.screens.start.begin", begin)
    monkeypatch.setattr(Input, "_on_key", take_key_slowly)
    long = "stages.0.batch_size=32 stages.0.learning_rate=0.05 stages.0.epochs=12"

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            post_at_once(app, ("tab", "tab", "tab", "tab", *long, "tab", *"x", "enter"))
            await until(pilot, lambda: asked)
            assert asked[0][0].settings == long
            assert asked[0][1] == 12
            assert asked[0][0].name == "x"

    drive(look)


def test_the_form_says_which_value_a_setting_has_and_where_from(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            await pilot.press("tab", "tab", "tab", "tab", *"stages.0.epochs=")
            await until(pilot, lambda: "stages.0.epochs = '': input should be" in screen_text(app))
            await until(pilot, lambda: "150 from preset digits_lt; default 200" in screen_text(app))
            assert "--set" not in screen_text(app)

    drive(look)


def test_a_schedule_too_short_for_its_weight_decay_is_told_before_and_after(runs: Path) -> None:
    notice = run_notice(open_run(make_run(runs, total=5)))
    assert "of the papers' 2.62" in notice

    async def look() -> None:
        async with opened(runs, (160, 50)) as (app, pilot):
            await pilot.press("enter")
            await until(pilot, lambda: notice in screen_text(app))
            await pilot.press("escape", "R")
            await until(
                pilot, lambda: "epochs x steps x lr x WD = 0.375, 14% of the papers' 2.62" in screen_text(app)
            )
            app.screen.query_one("#variant", Input).value = "ce"
            await until(pilot, lambda: "epochs x steps" not in screen_text(app))
            app.screen.query_one("#variant", Input).value = "ce,wd,wb"
            await until(pilot, lambda: "wd, wb: epochs x steps x lr x WD = 0.375" in screen_text(app))
            await pilot.press("escape")

    drive(look)


def test_the_forms_key_for_the_queue_does_not_leave_the_dashboard(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs / queue_files.PLACE).mkdir()
    queue_files.write_settings(runs, queue_files.QueueSettings(paused=True))

    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("R")
            app.screen.query_one("#tags", Input).value = "base,grid night"
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "1 queued" in screen_text(app))
            assert isinstance(app.screen, RunsScreen)
            (entry,) = queue_files.entries(runs)
            assert open_run(entry.folder).notes.tags == ("base", "grid", "night")
            await pilot.press("ctrl+q")
            await until(pilot, lambda: not app.is_running or app._exit)

    drive(look)


def test_several_seeds_and_variants_go_to_the_queue(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.tui.screens.queue.ensure_worker", lambda runs: None)
    (runs / queue_files.PLACE).mkdir()
    queue_files.write_settings(runs, queue_files.QueueSettings(paused=True))

    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("R")
            app.screen.query_one("#variant", Input).value = "ce,wd"
            app.screen.query_one("#seed", Input).value = "0,1"
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
            await until(pilot, lambda: "4 queued" in screen_text(app))
            await pilot.press("Q")
            await until(pilot, lambda: "4 waiting" in screen_text(app))
            assert "paused" in screen_text(app)
            assert isinstance(app.screen, QueueScreen)
            first, second = [entry.folder.name for entry in queue_files.entries(runs)][:2]
            await pilot.press("J")  # the first waiting run is chosen from the beginning
            await until(pilot, lambda: queue_files.entries(runs)[0].folder.name == second)
            assert queue_files.entries(runs)[1].folder.name == first
            await pilot.press("x")
            await until(pilot, lambda: len(queue_files.entries(runs)) == 3)
            await until(pilot, (runs / BIN / first).is_dir)  # as `wbtui queue remove` does
            assert not (runs / first).exists()
            await until(pilot, lambda: "in the bin; `wbtui restore" in screen_text(app))
            await pilot.press("s")
            app.screen.query_one(Input).value = "nonsense"
            await pilot.press("enter")
            assert "expected DEVICE=COUNT" in " ".join(screen_text(app).split())
            app.screen.query_one(Input).value = "cuda:99=1"
            await pilot.press("enter")
            await until(pilot, lambda: "CUDA device(s) here" in " ".join(screen_text(app).split()), 60)
            assert "--slots" not in screen_text(app)
            assert isinstance(app.screen, Prompt)
            app.screen.query_one(Input).value = "cpu=3"
            await pilot.press("enter")
            await until(pilot, lambda: queue_files.read_settings(runs).slots == {"cpu": 3})
            assert queue_files.read_settings(runs).paused, "how many at once says nothing of whether"
            await pilot.press("escape")

    drive(look)


@pytest.mark.usefixtures("_one_thread")
def test_with_no_runs_the_first_screen_leads_to_a_run(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            assert "R   and then enter trains" in screen_text(app)
            await pilot.press("R")
            app.screen.query_one("#settings", Input).value = "stages.0.epochs=2"
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
            await until(pilot, lambda: len(run_ids(runs)) == 1)
            folder = runs / run_ids(runs)[0]
            await until(pilot, lambda: open_run(folder).state().name == "finished", 60)
            await until(pilot, lambda: "2/2" in screen_text(app))

    drive(look)
    (name,) = run_ids(runs)
    assert open_run(runs / name).run_config().preset == "digits_lt"
    assert open_run(runs / name).provenance["command"][:2] == ["wbtui", "run"]


def test_again_begins_with_the_configuration_of_the_run(runs: Path) -> None:
    make_run(runs, decay=0.123)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("A")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            await until(pilot, lambda: "--config" in screen_text(app))
            assert screen._answer.resolved[0].config.stages[0].weight_decay == 0.123
            assert ("stages.0.weight_decay", "0.005", "0.123", "") in screen._answer.difference
            assert "differs from the preset digits_lt in" in screen_text(app)
            assert "0.005 → 0.123" in screen_text(app)
            await pilot.press("escape")

    drive(look)


_WITHOUT_TORCH = """
import asyncio, sys
from pathlib import Path
from wbtui.tui.app import WbtuiApp

async def look():
    app = WbtuiApp(Path(sys.argv[1]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1.0)
        for key in ("enter", "right_square_bracket", "right_square_bracket", "escape", "R", "escape", "Q", "escape"):
            await pilot.press(key)
            await pilot.pause(0.1)

asyncio.run(look())
print(sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "torchvision")
             or name.startswith(("wbtui.training", "wbtui.models", "wbtui.diagnostics"))))
"""


def test_the_dashboard_never_imports_torch(runs: Path) -> None:
    make_run(runs)
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, str(runs)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_without_a_terminal_the_command_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wbtui"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr
