"""`wbtui run`, `attach`, `stop`, `resume`, `rm`, `restore` as a person types them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from finished_runs import make_run as make_finished
from living_runs import state_of, wait_for_epoch, wait_until_over
from terminal import WBTUI, Terminal, wbtui

from wbtui.cli.main import main
from wbtui.launch.environment import child_environment
from wbtui.launch.start import start_run
from wbtui.store.notes import read_notes
from wbtui.store.reader import open_run

Start = Callable[..., Path]
SHORT = ("--preset", "digits_lt", "--device", "cpu", "--set", "threads=1", "--set", "stages.0.epochs=2")
FOREVER = (
    "--preset",
    "digits_lt",
    "--device",
    "cpu",
    "--set",
    "threads=1",
    "--set",
    "stages.0.epochs=100000",
)


def only_run(runs: Path) -> Path:
    (folder,) = runs.iterdir()
    return folder


def test_a_run_prints_a_line_an_epoch_and_a_table_a_split(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--variant", "wd", "--seed", "3", "--tag", "base", "--note", "why", runs=runs)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    folder = only_run(runs)
    assert lines[0] == folder.name
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["1/2", "2/2"]
    assert all(word in done.stdout for word in ("Many", "Medium", "Few", "FDR", "γ̄", "images/s"))
    titles = [line.strip() for line in lines]
    assert all(split in titles for split in ("test", "validation", "train"))
    assert f"folder  {folder}" in lines
    hints = [
        line.removeprefix("next ").partition("(")[0].split() for line in lines if line.startswith("next ")
    ]
    assert [hint[1] for hint in hints] == ["show", "adjust"]
    assert wbtui(*hints[0][1:3], runs=runs).returncode == 0
    assert read_notes(folder).tags == ("base",)
    assert json.loads((folder / "provenance.json").read_text())["command"][1:3] == ["run", "--preset"]


def test_json_prints_the_events_and_nothing_else(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--json", runs=runs)
    assert done.returncode == 0
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    types = [line["type"] for line in lines]
    assert (types[0], types[1], types[-1]) == ("run", "start", "end")
    assert [line["epoch"] for line in lines if line["type"] == "epoch"] == [1, 2]
    assert {line["run"] for line in lines} == {only_run(runs).name}
    replay = wbtui("attach", "@last", "--json", runs=runs)
    assert replay.stdout == done.stdout


def test_quiet_prints_nothing(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--quiet", runs=runs)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_dry_run_prints_each_value_with_its_origin_and_makes_nothing(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--variant", "wd_fr", "--seed", "5", "--dry-run", runs=runs)
    assert done.returncode == 0
    origins = {
        line.split("=")[0].strip(): line.rsplit("# ", 1)[1]
        for line in done.stdout.splitlines()
        if " = " in line
    }
    assert origins["seed"] == "--seed"
    assert origins["stages.0.epochs"] == "--set stages.0.epochs=2"
    assert origins["stages.0.feature_regularization"].endswith("digits_lt.toml [variants.wd_fr]")
    assert origins["stages.0.weight_decay"].endswith("wd.toml")
    assert origins["data.source"].endswith("digits_lt.toml")
    assert origins["evaluation.tta"] == "default"
    assert "later wins: defaults < preset < variant < --config < --set" in done.stdout
    assert "n_max" in done.stdout.splitlines()[-1]
    assert not runs.exists()


@pytest.mark.parametrize("seeds", ["4", "4,7"])
def test_a_dry_run_as_json_is_one_value(seeds: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--preset", "digits_lt", "--seed", seeds, "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [run["seed"] for run in (said if isinstance(said, list) else [said])] == [
        {"value": int(seed), "from": "--seed"} for seed in seeds.split(",")
    ]


@pytest.mark.parametrize(
    ("epochs", "schedule", "noted"),
    [(1, "cosine_papers", True), (2, "cosine_papers", False), (1, "cosine", False)],
)
def test_a_dry_run_says_of_a_lone_epoch_of_the_papers_schedule_that_it_trains_at_rate_zero(
    runs: Path, epochs: int, schedule: str, noted: bool
) -> None:
    settings = ("--set", f"stages.0.epochs={epochs}", "--set", f"stages.0.schedule={schedule}")
    done = wbtui("run", "--preset", "digits_lt", *settings, "--seed", "0,1", "--dry-run", runs=runs)
    assert done.returncode == 0
    assert done.stderr.count("note: stages.0.epochs = 1") == noted
    assert done.stderr.count("\n") == noted


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--preset"),
        (("--preset", "digitz_lt"), "did you mean 'digits_lt'"),
        (("--preset", "digits_lt", "--variant", "wdd"), "did you mean 'wd'"),
        (("--preset", "digits_lt", "--set", "stages.0.epoch=4"), "did you mean stages.0.epochs?"),
        (("--preset", "digits_lt", "--set", "stages.0.epochs=many"), "stages.0.epochs"),
        (("--preset", "digits_lt", "--set", "stages.0.epochs=0"), "greater than or equal to 1"),
        (("--preset", "digits_lt", "--set", "stages.0.epochs"), "KEY=VALUE"),
        (("--preset", "digits_lt", "--set", "stages.0.loss.name=ldam"), "model.head = 'cosine'"),
        (("--preset", "digits_lt", "--set", "data.imbalance_factor=500"), "imbalance"),
        (("--preset", "digits_lt", "--device", "cuda:999"), "CUDA device"),
        (("--preset", "digits_lt", "--device", "gpu"), "device"),
        (("--preset", "digits_lt", "--tag", "two words"), "white space"),
        (("--preset", "cifar10_lt", "--data-root", "/nowhere"), "--download"),
        (("--config", "/nowhere.toml"), "no such file"),
        (("--preset", "digits_lt", "--seed", "x"), "seed"),
    ],
)
def test_a_mistake_is_one_message_and_leaves_no_folder(
    runs: Path, arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments, "--detach", "--runs", str(runs)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert "Traceback" not in said.err
    assert not runs.exists() or not list(runs.iterdir())


def test_a_configuration_from_a_pipe_is_that_of_every_run_of_a_grid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It can be read once: `--config <(sed ... config.toml) --seed 0,1`."""
    reader, writer = os.pipe()
    os.write(writer, b'name = "from the pipe"\n')
    os.close(writer)
    assert main(["run", "--config", f"/dev/fd/{reader}", "--seed", "0,1", "--dry-run"]) == 0
    os.close(reader)
    assert capsys.readouterr().out.count('"from the pipe"') == 2


def test_further_stages_of_finished_runs_are_a_grid_of_methods_and_runs(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = (make_finished(runs, "wd", seed).name for seed in (0, 1))
    arguments = ("--from", f"{first},{second}", "--variant", "wb,crt", "--runs", str(runs))
    assert main(["run", *arguments, "--dry-run", "--json"]) == 0
    said = capsys.readouterr()
    assert [(run["variant"]["value"], run["seed"]["value"]) for run in json.loads(said.out)] == [
        *(("wb", 0), ("wb", 1), ("crt", 0), ("crt", 1))
    ]
    assert f"--from {first},{second}: trained otherwise than crt of digits_lt: " in said.err
    assert main(["queue", "--runs", str(runs), "pause"]) == 0
    assert main(["queue", "add", *arguments, "--yes"]) == 0
    assert "4 runs, 40 epochs, 1 at once" in capsys.readouterr().err
    assert main(["run", *arguments, "--config", str(runs / first / "config.toml")]) == 2
    assert "--from and --config" in capsys.readouterr().err


def test_a_failed_run_exits_1_with_its_reason_on_stderr(runs: Path) -> None:
    done = wbtui("run", *SHORT, "--set", "stages.0.learning_rate=1e30", "--quiet", runs=runs)
    assert done.returncode == 1
    assert "failed" in done.stderr
    assert str(only_run(runs)) in done.stderr


def test_a_detached_run_is_attached_stopped_and_resumed(runs: Path) -> None:
    started = wbtui("run", *FOREVER, "--detach", runs=runs)
    folder = only_run(runs)
    assert (started.returncode, started.stdout) == (0, folder.name + "\n")
    wait_for_epoch(folder)
    living = wbtui("rm", "@last", runs=runs)
    assert living.returncode == 2
    assert "stop it first" in living.stderr
    refused = wbtui("resume", folder.name[-8:], runs=runs)
    assert refused.returncode == 2
    assert "attach" in refused.stderr
    stopped = wbtui("stop", folder.name[-8:-4], runs=runs)
    assert stopped.returncode == 0
    assert "stopped (result.json: stopped by control/stop)" in stopped.stdout
    again = wbtui("stop", "@last", runs=runs)
    assert (again.returncode, "stopped already" in again.stderr) == (2, True)
    assert wbtui("resume", "@last", "--detach", runs=runs).returncode == 0
    wait_for_epoch(folder)
    assert wbtui("stop", "--kill", "@last", runs=runs).returncode == 0
    assert wait_until_over(folder).name == "stopped"
    replay = wbtui("attach", "@last", runs=runs)
    assert replay.returncode == 130
    assert "next    wbtui resume" in replay.stdout


def test_a_removed_run_comes_back(runs: Path) -> None:
    folder = make_finished(runs)
    assert "the bin is empty" in wbtui("restore", "--list", runs=runs).stderr
    assert wbtui("rm", "@last", runs=runs).returncode == 0
    assert not folder.exists()
    listed = wbtui("restore", "--list", runs=runs)
    assert (listed.returncode, "finished" in listed.stdout) == (0, True)
    for wrong in ([], ["--list", folder.name]):
        assert wbtui("restore", *wrong, runs=runs).returncode == 2
    assert not folder.exists()
    assert wbtui("restore", folder.name[-8:], runs=runs).stdout == folder.name + "\n"
    assert state_of(folder).name == "finished"
    refused = wbtui("resume", "@last", runs=runs)
    assert (refused.returncode, "finished" in refused.stderr) == (2, True)


def test_closing_the_terminal_harms_nothing(runs: Path) -> None:
    terminal = Terminal(["run", *FOREVER], runs)
    terminal.read_until("test  All")
    assert terminal.hang_up() in (
        -signal.SIGHUP,
        1,
    )  # 1: what it was drawing just then met the closed end first
    folder = only_run(runs)
    assert state_of(folder).living
    done = open_run(folder).history.last_epoch
    while open_run(folder).history.last_epoch < done + 2:
        assert state_of(folder).living
        time.sleep(0.1)
    assert wbtui("stop", "@last", runs=runs).returncode == 0
    assert wait_until_over(folder).name == "stopped"


def test_ctrl_c_stops_gracefully_and_the_terminal_is_left_in_order(runs: Path) -> None:
    terminal = Terminal(["run", *FOREVER], runs)
    terminal.read_until("test  All")
    terminal.press("\x03")
    assert terminal.wait() == 130
    assert "stopping after this batch" in terminal.text
    assert terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l")  # the cursor is shown again
    assert wait_until_over(only_run(runs)).name == "stopped"
    assert (only_run(runs) / "checkpoint.pt").is_file()


def test_ctrl_c_under_watch_leaves_the_run_at_work(start: Start, runs: Path) -> None:
    folder = start(100_000)
    terminal = Terminal(["attach", "@last", "--watch"], runs)
    terminal.read_until("test  All")
    terminal.press("\x03")
    assert terminal.wait() == 130
    assert state_of(folder).living
    assert wbtui("stop", "--kill", "@last", runs=runs).returncode == 0
    wait_until_over(folder)


def test_a_second_ctrl_c_terminates_a_run_that_hangs(start: Start, runs: Path) -> None:
    folder = start(100_000)
    info = wait_for_epoch(folder)
    terminal = Terminal(["attach", "@last"], runs)
    terminal.read_until("test  All")
    os.killpg(info.process_group or 0, signal.SIGSTOP)
    terminal.press("\x03")
    terminal.read_until("again terminates")
    terminal.press("\x03")
    assert terminal.wait() == 130
    assert wait_until_over(folder).name == "stopped"


def test_missing_images_are_offered_for_download_and_a_no_makes_no_run(runs: Path, tmp_path: Path) -> None:
    terminal = Terminal(["run", "--preset", "cifar10_lt", "--data-root", str(tmp_path)], runs)
    terminal.read_until("Download now?")
    terminal.press("n\n")
    assert terminal.wait() == 2
    assert not runs.exists()


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_a_question_that_is_broken_off_makes_no_run_and_exits_130(
    runs: Path, tmp_path: Path, key: str
) -> None:
    terminal = Terminal(["run", "--preset", "cifar10_lt", "--data-root", str(tmp_path)], runs)
    terminal.read_until("Download now?")
    assert terminal.break_off(key) == 130
    assert not runs.exists()


def test_a_runs_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in (("run", *SHORT), ("queue", "pause")):
        done = wbtui(*command, runs=tmp_path / "file" / "runs")
        assert (done.returncode, done.stdout) == (2, "")
        assert "cannot write" in done.stderr
        assert "Traceback" not in done.stderr


def test_help_names_the_commands_of_runs() -> None:
    done = subprocess.run(
        [*WBTUI, "--help"], capture_output=True, text=True, env=child_environment(), check=True
    )
    assert all(command in done.stdout for command in ("run", "attach", "stop", "resume"))


def test_a_dry_run_loads_neither_torch_nor_a_screen() -> None:
    code = (
        "import sys\nfrom wbtui.cli.main import main\nmain(['run', '--preset', 'digits_lt', '--dry-run'])\n"
        "print([m for m in ('torch', 'textual') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment(), check=True
    )
    assert said.stdout.splitlines()[-1] == "[]"


def test_an_interrupt_while_a_run_is_taken_up_again_leaves_nobody_half_way(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_finished(runs, "wd", 0, finished=False)
    taken_up: list[Path] = []

    def resumed(run: Path) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        taken_up.append(run)

    monkeypatch.setattr("wbtui.launch.resume.resume_run", resumed)
    assert main(["resume", folder.name, "--detach", "--runs", str(runs)]) == 0
    assert taken_up == [folder]
    assert capsys.readouterr().out == folder.name + "\n"


def test_an_interrupt_while_a_run_is_started_stops_it_as_soon_as_it_is_followed(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def started(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        start_run(*arguments)

    monkeypatch.setattr("wbtui.launch.start.start_run", started)
    assert main(["run", *FOREVER, "--quiet", "--runs", str(runs)]) == 130
    assert state_of(only_run(runs)).name == "stopped"
