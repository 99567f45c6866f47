"""The start form: what does it refuse, what does it say, and what does it start?"""

import asyncio
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from dashboard_helpers import drive, make_run, opened, post_at_once, screen_text, until
from finished_runs import make_run as make_finished
from textual import events
from textual.widgets import Input, Static

from wbtui.errors import UsageError
from wbtui.launch import queue_files
from wbtui.presets import Resolved
from wbtui.report.decay import run_notice
from wbtui.store.format import BIN
from wbtui.store.ids import run_ids
from wbtui.store.reader import open_run
from wbtui.tui.app import WbtuiApp
from wbtui.tui.form import FormAnswer, FormValues, answer
from wbtui.tui.screens.dialogs import Prompt
from wbtui.tui.screens.queue import QueueScreen
from wbtui.tui.screens.runs import RunsScreen
from wbtui.tui.screens.start import StartScreen


def fill(app: WbtuiApp, **values: str) -> None:
    """Write into fields of the form."""
    for name, value in values.items():
        app.screen.query_one(f"#{name}", Input).value = value


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
                ("settings", "stages.0.epochs=many", "whole number"),
            ):
                field = screen.query_one(f"#{name}", Input)
                before, field.value = field.value, value
                await until(pilot, lambda name=name: screen.query_one(f"#wrong-{name}").display)
                assert wanted in str(screen.query_one(f"#wrong-{name}").render())
                await pilot.press("enter")
                assert not run_ids(runs)
                field.value = before
                await until(pilot, lambda name=name: not screen.query_one(f"#wrong-{name}").display)
            fill(app, settings="stages.0.epochs=3")
            meaning = screen.query_one("#meaning", Static)
            await until(pilot, lambda: "--set stages.0.epochs=3" in str(meaning.render()))
            assert "wbtui run --preset digits_lt" in str(meaning.render())
            assert "150 → 3" in screen_text(app)
            await pilot.press("escape")
            assert not run_ids(runs)

    drive(look)


def test_choices_go_on_from_what_was_begun_to_be_typed(runs: Path) -> None:
    """In a list of variants from its last part, whatever stands before it."""

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            preset, variant = (app.screen.query_one(f"#{name}", Input) for name in ("preset", "variant"))
            preset.value = "gl"
            await pilot.press("down")
            assert preset.value == "glyphs_lt"
            await pilot.press("down")
            assert preset.value == "mnist_lt"
            preset.value = "no such"
            await pilot.press("down")
            assert preset.value == "cifar100_lt"
            await pilot.press("tab")
            variant.value = "ce,wd_f"
            await pilot.press("down")
            assert variant.value == "ce,wd_fixed_bn"
            await pilot.press("down", "up", "up")
            assert variant.value == "ce,wd_etf"

    drive(look)


def test_the_keys_of_the_form_stand_below_it_however_much_it_says(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("R")
            settings = (
                "stages.0.epochs=1 stages.0.schedule=cosine_papers stages.0.batch_size=32 model.width=2"
            )
            fill(app, settings=settings)
            await until(pilot, lambda: "learning rate 0" in str(app.screen.query_one("#meaning").render()))
            await pilot.pause()
            assert "completes   esc back" in screen_text(app)
            assert "wbtui run" not in screen_text(app)
            await pilot.press("pagedown", "pagedown")
            assert f"--runs{runs}" in re.sub(r"[\s│]", "", screen_text(app))  # a long path is broken within
            await pilot.press("pageup", "pageup")
            assert "preset    digits_lt" in screen_text(app)
            await pilot.resize_terminal(120, 40)
            await pilot.pause()
            assert "1 run, 1 epoch" in screen_text(app)
            assert "esc back" in screen_text(app)

    drive(look)


def test_the_keys_stand_below_the_form_of_a_run_whose_folder_takes_two_lines(runs: Path) -> None:
    make_run(runs, variant="wd_fr_etf")

    async def look() -> None:
        async with opened(runs, (80, 24)) as (app, pilot):
            await pilot.press("j", "A")
            fill(app, settings="stages.0.epochs=3 stages.0.batch_size=32 model.width=2 data.crop_padding=2")
            await until(pilot, lambda: "1 run, 3 epochs" in str(app.screen.query_one("#meaning").render()))
            await pilot.pause()
            assert "completes   esc back" in screen_text(app)

    drive(look)


BURST = ("tab", *"ce", "tab", *"0,1", "tab", "tab", *"stages.0.epochs=3", "tab", "tab", "shift+tab", *"again")
"""Keys of a paste or of a line that lagged."""


def test_keys_that_come_at_once_go_to_their_fields(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (60, 16)) as (app, pilot):
            await pilot.press("R")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            post_at_once(app, BURST)
            await until(pilot, lambda: "2 runs, " in screen_text(app))
            assert screen.values == FormValues(
                "digits_lt", "ce", "0,1", "auto", "stages.0.epochs=3", name="again"
            )
            shown = screen_text(app)
            assert "2 runs, 3 epochs each" in shown  # what it means and the keys also stand on a small screen
            assert "esc back" in shown

    drive(look)


def test_editing_keys_that_come_at_once_act_where_and_when_they_were_typed(runs: Path) -> None:
    burst = (
        *("ctrl+u", *"digixx", "backspace", "backspace", *"ts_lt"),
        *("tab", "ctrl+u", *"cef", "backspace", *",wbx", "left", "left", *"d,w", "end", "backspace"),
        *("tab", "home", "ctrl+k", *"1,2", "tab", "tab", "tab", *"named", "delete", "tab", *"base"),
    )

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            post_at_once(app, burst)
            await until(pilot, lambda: screen.values.tags == "base")
            await pilot.pause()
            assert screen.values == FormValues(
                "digits_lt", "ce,wd,wb", "1,2", "auto", "", name="named", tags="base"
            )

    drive(look)


def test_a_question_takes_the_text_that_stood_when_enter_came(runs: Path) -> None:
    answers: list[str | None] = []

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            app.push_screen(Prompt("What is it?", "old"), answers.append)
            await pilot.pause()
            post_at_once(app, ("ctrl+u", *"wdd", "backspace", *" few", "enter", "x"))
            await until(pilot, lambda: answers)
            assert answers == ["wd few"]

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
            await until(pilot, lambda: "stages.0.epochs = '': expected" in screen_text(app))
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
            fill(app, variant="ce")
            await until(pilot, lambda: "epochs x steps" not in screen_text(app))
            fill(app, variant="ce,wd,wb")
            await until(pilot, lambda: "wd, wb: epochs x steps x lr x WD = 0.375" in screen_text(app))
            await pilot.press("escape")

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_the_forms_key_for_the_queue_does_not_leave_the_dashboard(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("R")
            fill(app, tags="base,grid night")
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "1 queued" in screen_text(app))
            assert isinstance(app.screen, RunsScreen)
            (entry,) = queue_files.entries(runs)
            assert open_run(entry.folder).notes.tags == ("base", "grid", "night")
            await pilot.press("ctrl+q")
            await until(pilot, lambda: not app.is_running or app._exit)

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_several_seeds_and_variants_go_to_the_queue(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.tui.screens.queue.ensure_worker", lambda runs: None)

    async def look() -> None:
        async with opened(runs, (140, 50)) as (app, pilot):
            await pilot.press("R")
            fill(app, variant="ce,wd", seed="0,1")
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
            fill(app, settings="stages.0.epochs=2")
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))
            await until(pilot, lambda: len(run_ids(runs)) == 1)
            folder = runs / run_ids(runs)[0]
            await until(pilot, lambda: open_run(folder).state().name == "finished", 60)
            await until(pilot, lambda: "2/2" in screen_text(app))

    drive(look)
    (name,) = run_ids(runs)
    assert open_run(runs / name).run_config().preset == "digits_lt"
    command = open_run(runs / name).provenance["command"]
    assert (command[:2], command[-2:]) == (["wbtui", "run"], ["--runs", str(runs)])


@pytest.mark.parametrize(("preset", "begun"), [("glyphs_lt", "glyphs_lt"), ("of_a_colleague", "digits_lt")])
def test_the_form_begins_with_the_preset_of_the_run_at_the_cursor(
    runs: Path, preset: str, begun: str
) -> None:
    config = make_run(runs) / "config.toml"
    config.write_text(config.read_text("utf-8").replace('"digits_lt"', f'"{preset}"'), "utf-8")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            assert app.screen.query_one("#preset", Input).value == begun
            await until(pilot, lambda: f"wbtui run --preset {begun}" in screen_text(app))
            await pilot.press("escape")

    drive(look)


def test_again_begins_with_the_configuration_of_the_run(runs: Path) -> None:
    make_run(runs, decay=0.123)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("A")
            assert isinstance(app.screen, StartScreen)
            await until(pilot, lambda: "--config" in screen_text(app))
            assert "differs from the preset digits_lt in" in screen_text(app)
            assert re.search(r"stages\.0\.weight_decay +0\.005 → 0\.123", screen_text(app))
            await pilot.press("escape")

    drive(look)


@pytest.mark.usefixtures("_paused_queue")
def test_further_stages_begin_with_the_finished_runs_under_the_cursor(runs: Path) -> None:
    sources = [make_finished(runs, "wd", seed) for seed in (0, 1)]

    async def look() -> None:
        async with opened(runs) as (app, pilot):

            def said() -> str:
                return " ".join(re.sub("[│▇▆▅▄▃▂▁█]", " ", screen_text(app)).split())

            await pilot.press("G", "S")
            assert isinstance(app.screen, StartScreen)
            otherwise = "trained otherwise than wb of digits_lt: stages.0.epochs = 20, not 150"
            # Not its first line: the form grows a moment after that is there.
            await until(pilot, lambda: otherwise in said())
            assert "2 runs, 10 epochs each" in said()
            assert re.search(r"after \w{4}, \w{4}: further stages alone are trained", said())
            fill(app, variant="wd")
            await until(pilot, lambda: "it has trained 1 of 1 stages" in said())
            fill(app, variant="wb", seed="7")
            await until(pilot, lambda: "seed = 7" in said())
            fill(app, seed="")
            await until(pilot, lambda: "wbtui queue add --from" in said())
            await pilot.press("ctrl+q")
            await until(pilot, lambda: not isinstance(app.screen, StartScreen))

    drive(look)
    made = [open_run(runs / name) for name in run_ids(runs) if "-wb-" in name]
    assert {run.provenance["taken_over"]["run"] for run in made} == {source.name for source in sources}


def test_what_a_closed_form_was_working_out_is_given_up_before_its_fields_go(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R")
            screen = app.screen
            assert isinstance(screen, StartScreen)
            working = screen._work_out()
            screen.action_cancel()
            assert working.is_cancelled
            await until(pilot, lambda: isinstance(app.screen, RunsScreen))

    drive(look)


@pytest.mark.parametrize("problem", ["", "the disk is full"])
def test_a_form_that_is_starting_something_stays_to_say_what_came_of_it(
    runs: Path, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_it, go_on = threading.Event(), threading.Event()
    answered_in: list[threading.Thread] = []

    def answers(*given: Any, **more: Any) -> FormAnswer:
        answered_in.append(threading.current_thread())
        return answer(*given, **more)

    def begins(*_: object, **__: object) -> list[Path]:
        at_it.set()
        assert go_on.wait(60)
        if problem:
            raise UsageError(problem)
        return [runs / "20260101-000000-digits_lt-wd-s0-00000000"]

    monkeypatch.setattr("wbtui.tui.screens.start.begin", begins)
    monkeypatch.setattr("wbtui.tui.screens.start.answer", answers)

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("R", "enter")
            await until(pilot, at_it.is_set)
            await pilot.press("escape")
            assert isinstance(app.screen, StartScreen)
            go_on.set()
            await until(pilot, lambda: (problem or " 0000: started") in screen_text(app))
            assert isinstance(app.screen, StartScreen if problem else RunsScreen)
            assert threading.main_thread() not in answered_in, "two thousand runs take seconds"

    drive(look)
