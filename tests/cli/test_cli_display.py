"""What people see while a run is followed: numbers, strangers' text shown literally, narrow terminals, estimates."""

import io
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest
from finished_runs import classifier, predictions_of
from rich.console import Console

from wbtui.cli.closing import close
from wbtui.cli.display import PlainDisplay
from wbtui.cli.live import LiveDisplay
from wbtui.cli.progress import Standing, labels_of, labels_of_each, standing
from wbtui.launch.queue_files import enqueue, withdraw
from wbtui.launch.start import make_run
from wbtui.presets import resolve
from wbtui.store.format import Metric, Result
from wbtui.store.predictions import PredictionsMeta
from wbtui.store.reader import open_run
from wbtui.store.records import HeartbeatWriter, write_result
from wbtui.store.writer import RunWriter

NAME = "[red]x[/red] \x1b[31m"


def run_with(folder: Path, epochs: int, **scalars: float) -> Standing:
    """A run of four epochs of which some are done, by hand."""
    made = make_run(folder, resolve("digits_lt", "wd", options={"stages.0.epochs": 4, "name": NAME}))
    HeartbeatWriter(made, 1).beat("training", epochs + 1, 3, batches=6, images_per_second=1234.0)
    with RunWriter.open(made) as writer:
        writer.event("start", epochs=4, classes=10)
        for name in scalars:
            writer.define(Metric(name.replace("__", "."), "accuracy"))
        for epoch in range(1, epochs + 1):
            writer.epoch(epoch, 0, {name.replace("__", "."): value for name, value in scalars.items()})
    run = open_run(made)
    return standing(run, labels_of(run))


def test_strangers_text_is_shown_literally_at_any_width(tmp_path: Path) -> None:
    one = run_with(tmp_path, 2, test__accuracy__all=0.5, test__accuracy__few=math.nan)
    for width in (20, 80, 200):
        console = Console(
            file=io.StringIO(), width=width, force_terminal=True, color_system=None, highlight=False
        )
        display = LiveDisplay(console, "hint")
        display.show([one])
        display.close()
        assert isinstance(console.file, io.StringIO)
        text = console.file.getvalue()
        assert "\x1b[31m" not in text
        if width > 80:
            assert "[red]x[/red] <U+001B>[31m" in text
            assert "epoch 2/4" in text
            assert "batch 3/6" in text
            assert "All 50.0" in text
            assert "Few -" in text


def test_an_epoch_is_printed_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = run_with(tmp_path, 3, test__accuracy__all=0.5)
    display = PlainDisplay(several=False)
    display.show([one])
    display.show([one])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 1/4", "epoch 2/4", "epoch 3/4"]


def test_the_stage_is_told_where_there_are_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_run(
        tmp_path, resolve("digits_lt", "wb", options={"stages.0.epochs": 2, "stages.1.epochs": 3})
    )
    with RunWriter.open(made) as writer:
        writer.event("start", epochs=5, classes=10)
        for epoch in range(1, 5):
            writer.epoch(epoch, int(epoch > 2), {})
    run = open_run(made)
    one = standing(run, labels_of(run))
    PlainDisplay(several=False).show([one])
    stages = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert stages == [
        "epoch 1/5 (stage 1 of 2: representation, 2 epochs)",
        "epoch 2/5 (stage 1 of 2: representation, 2 epochs)",
        "epoch 3/5 (stage 2 of 2: classifier, 3 epochs)",
        "epoch 4/5 (stage 2 of 2: classifier, 3 epochs)",
    ]
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None, highlight=False)
    display = LiveDisplay(console, "hint")
    display.show([one])
    display.close()
    assert isinstance(console.file, io.StringIO)
    assert "(stage 2 of 2: classifier, 3 epochs)" in console.file.getvalue()


def test_the_time_left_counts_the_batches_of_the_epoch_in_work(tmp_path: Path) -> None:
    assert run_with(tmp_path / "a", 1).seconds_left is None
    one = run_with(tmp_path / "b", 2)
    first, second = one.history.epochs.values()
    expected = (second.time - first.time) * (4 - 2 - 0.5)
    assert one.batch_share == 0.5
    assert one.seconds_left == pytest.approx(expected)


def test_the_end_of_a_failed_run_says_why_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run_with(tmp_path, 1, test__accuracy__all=0.25)
    now = time.time()
    result = Result(
        1, "failed", "out of \x1b[31m memory", exit_code=1, started=now, ended=now, error="Traceback\nboom"
    )
    write_result(one.run.path, result)
    close([standing(one.run, one.labels)])
    captured = capsys.readouterr()
    assert captured.err.splitlines()[:3] == ["Traceback", "boom", "out of <U+001B>[31m memory"]
    assert "output.log" in captured.err
    assert "25.0" in captured.out
    assert "wbtui resume" in captured.out


def test_a_crashed_run_that_is_to_be_tried_again_is_followed_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run_with(tmp_path, 1)
    folder = one.run.path
    enqueue(tmp_path, [folder], retries=1)
    write_result(folder, Result(1, "crashed", "killed by signal 9 (SIGKILL)", signal=9))
    waits = standing(open_run(folder), one.labels)
    assert not waits.over
    display = PlainDisplay(several=False)
    display.show([waits])
    display.show([waits])
    assert capsys.readouterr().err.count("killed by signal 9 (SIGKILL)), waits in the queue") == 1
    close([waits])  # left by Ctrl-C under --watch
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "wbtui resume" not in captured.out
    assert f"wbtui queue remove {folder.name[-8:-4]}" in captured.out

    assert withdraw(folder)
    assert standing(open_run(folder), one.labels).over


@pytest.mark.parametrize(
    ("weights", "epoch", "last", "best"),
    [("last", 4, "60.0", "40.0"), ("best_validation", 3, "50.0", "60.0")],
)
def test_the_end_says_which_figures_are_of_the_last_weights(
    weights: str, epoch: int, last: str, best: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = run_with(tmp_path, 4, test__accuracy__all=0.5)
    with RunWriter.open(one.run.path) as writer:
        predictions = {"test": predictions_of("test", 0)}
        writer.predictions(predictions, classifier(), PredictionsMeta(weights, epoch, "none"))
    final, preferred = {"test.accuracy.all": 0.6}, {"test.accuracy.all": 0.4}
    result = Result(1, "finished", "all epochs done", 0, None, 1.0, 2.0, 4, final, preferred, 3)
    write_result(one.run.path, result)
    close([standing(open_run(one.run.path), one.labels)])
    said = " ".join(capsys.readouterr().out.split())
    assert f"last {last} -" in said
    assert f"epoch 3 (best on val.) {best} -" in said


def test_the_end_of_several_names_the_queue_only_where_something_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run_with(tmp_path, 1), run_with(tmp_path, 1)]
    close(runs)
    assert "wbtui queue" not in capsys.readouterr().out
    waiting = replace(runs[1].state, name="queued")
    close([runs[0], replace(runs[1], state=waiting)])
    assert "wbtui queue" in capsys.readouterr().out


def test_the_end_of_several_says_a_common_preset_once_and_fits_80_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [run_with(tmp_path, 1, test__accuracy__all=0.25) for _ in range(2)]
    first, second = (replace(one, labels=replace(one.labels, name="")) for one in runs)
    preset = first.labels.preset
    close([first, replace(second, labels=replace(second.labels, variant="wd_fixed_bn", seed=7))])
    title, heads, _, *rows = capsys.readouterr().out.strip("\n").splitlines()
    assert title.strip() == f"{preset} test"
    assert heads.split()[:5] == ["run", "method", "seed", "state", "epoch"]
    assert rows[1].split()[1:3] == ["wd_fixed_bn", "7"]
    assert all(len(line) <= 80 for line in (heads, *rows[:2]))
    close([first, replace(second, labels=replace(second.labels, preset="other"))])
    shown = capsys.readouterr().out
    assert f"{preset} {first.labels.variant}" in shown
    assert f"other {first.labels.variant}" in shown


def test_runs_of_one_method_are_told_apart_by_what_was_typed_for_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = [["stages.0.epochs=4", f"stages.0.weight_decay={decay}"] for decay in ("1e-3", "5e-3")]
    folders = [make_run(tmp_path, resolve("digits_lt", "wd", settings=settings)) for settings in typed]
    for folder in folders:
        with RunWriter.open(folder) as writer:
            writer.event("start", epochs=4, classes=10)
            writer.epoch(1, 0, {})
    runs = [open_run(folder) for folder in folders]
    standings = [standing(run, labels) for run, labels in zip(runs, labels_of_each(runs), strict=True)]
    PlainDisplay(several=True).show(standings)
    assert ["digits_lt wd wd=1e-3 seed 0" in line for line in capsys.readouterr().out.splitlines()] == [1, 0]
    close(standings)
    rows = capsys.readouterr().out.strip("\n").splitlines()[3:5]
    assert [row.split()[1:3] for row in rows] == [["wd", "wd=1e-3"], ["wd", "wd=5e-3"]]
