"""What does a command import, and how does it end where its output cannot go?"""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import psutil
import pytest
from living_runs import wait_for
from typed import environment_with, python

from wbtui.config import RunConfig
from wbtui.presets import resolve
from wbtui.store.index import RunIndex

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "torchvision", "textual")


def test_no_torch_and_no_screen_is_imported(four_runs: Path) -> None:
    """By no command that reads, one after the other in one process."""
    commands = [
        ["--help"],
        ["ls"],
        ["show", "@last"],
        ["show", "aaaa", "--plot", "accuracy,feature_norm@class"],
        ["presets"],
        ["config"],
        ["reindex"],
        ["note", "aaaa", "x"],
        ["adjust", "aaaa"],
        ["compare", "aaaa", "cccc"],
        ["report", "state:finished"],
        ["report", "state:finished", "--figures", "figures"],
        ["export"],
        ["export", "--tensorboard", "tb"],
        ["doctor"],
    ]
    script = f"""
import sys
from wbtui.cli.main import main
for words in {commands!r}:
    code, heavy = main(words), {{*{HEAVY!r}}} & {{*sys.modules}}
    assert code == 0 and not heavy, (words, code, heavy)
"""
    done = python("-c", script)
    assert done.returncode == 0, done.stderr


def test_a_printed_configuration_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    """TOML is, and so is what `wbtui run --config` reads."""
    done = subprocess.run(
        [sys.executable, "-m", "wbtui", "config", "--set", "name=größe λ"],
        env=environment_with(PYTHONIOENCODING="latin-1"),
        capture_output=True,
        check=True,
    )
    path = tmp_path / "c.toml"
    path.write_bytes(done.stdout)
    assert resolve(config_file=path).config == RunConfig(name="größe λ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["export", "--final"],
        ["report", "--format", "csv"],
        ["report", "--format", "markdown"],
        ["compare", "aaaa", "cccc", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_what_programs_read_is_utf8_whatever_the_locale(four_runs: Path, arguments: list[str]) -> None:
    for folder in four_runs.iterdir():
        config = folder / "config.toml"
        config.write_text(config.read_text("utf-8").replace('"wd"', '"größe_λ"'), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "wbtui", *arguments],
        env=environment_with(PYTHONIOENCODING="latin-1"),
        capture_output=True,
        check=True,
    )
    assert "größe_λ" in done.stdout.decode("utf-8").replace("\\", "")


@pytest.mark.parametrize(
    "arguments", [["presets"], ["doctor"], ["run", "--preset", "digits_lt", "--dry-run"]]
)
def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, arguments: list[str]) -> None:
    script = (
        "import os, sys; os.rmdir(os.getcwd()); from wbtui.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    gone = tmp_path / "gone"
    gone.mkdir()
    # As a command, without "" on the path: Python 3.13.0 fails to import from a folder that is gone.
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *arguments],
        cwd=gone,
        env=environment_with(WBTUI_RUNS=str(tmp_path / "runs")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "wbtui: the folder that you are in has been removed; go to another one (cd)\n"


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["--help"], {"numpy", "pydantic", "rich", "tinydb", "psutil", "wbtui.report", "wbtui.config"}),
        (["ls"], {"wbtui.config", "wbtui.launch", "wbtui.adjustment", "matplotlib", "scipy"}),
    ],
    ids=["--help", "ls"],
)
def test_help_and_ls_import_only_what_they_need(
    four_runs: Path, arguments: list[str], spared: set[str]
) -> None:
    """What a start takes is what it imports; benchmarks/cli_speed.py measures it.

    A run that the index does not know yet has its whole configuration read, once, with pydantic.
    """
    RunIndex(four_runs).listing()
    script = "import sys; from wbtui.cli.main import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = python("-c", script, *arguments)
    assert done.returncode == 0, done.stderr
    assert not spared & set(done.stderr.split())


def _command() -> str:
    """What an installed `wbtui` calls."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return str(project["project"]["scripts"]["wbtui"])


@pytest.mark.parametrize("module", ["wbtui.cli.main", "wbtui.cli.bare", "typer"])
def test_an_interrupt_while_modules_are_imported_is_no_traceback(module: str) -> None:
    script = (
        "import builtins, sys\n"
        "from importlib.metadata import EntryPoint\n"
        "imported = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        f"    if name == {module!r}:\n"
        "        raise KeyboardInterrupt\n"
        "    return imported(name, *rest)\n"
        "builtins.__import__ = interrupted\n"
        f"sys.exit(EntryPoint('wbtui', {_command()!r}, 'console_scripts').load()())"
    )
    done = python("-c", script, "ls")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupt_while_torch_exports_is_no_traceback(four_runs: Path, tmp_path: Path) -> None:
    """Ctrl-C goes to all processes of the terminal's group."""
    marker = tmp_path / "pid"
    (tmp_path / "torch.py").write_text(
        f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\ntime.sleep(600)\n"
    )
    heeding = (  # whoever runs the tests in the background of a script hands down that it is ignored
        "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from wbtui.__main__ import run\nsys.exit(run())"
    )
    exporting = subprocess.Popen(
        [sys.executable, "-c", heeding, "export", "aaaa", "--safetensors", str(tmp_path / "weights")],
        env=environment_with(PYTHONPATH=f"{tmp_path}:{ROOT}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    wait_for(lambda: marker.is_file() and marker.read_text())
    os.killpg(exporting.pid, signal.SIGINT)
    said = exporting.communicate()
    assert (exporting.returncode, "Traceback" in said[1]) == (130, False), said
    wait_for(lambda: not psutil.pid_exists(int(marker.read_text())))


def test_a_terminal_without_unicode_shows_question_marks_and_ascii_plots(four_runs: Path) -> None:
    shown = python("-m", "wbtui", "show", "aaaa", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.isascii()
    followed = python("-m", "wbtui", "attach", "aaaa", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert followed.returncode == 0, followed.stderr
    assert "epoch 1/" in followed.stdout
    plot = python("-m", "wbtui", "show", "aaaa", "--plot", "accuracy", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert plot.returncode == 0, plot.stderr
    assert "?" not in plot.stdout


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments",
    ["ls", "show aaaa --json", "report --figures drawn", "adjust aaaa --save", "attach aaaa", "show --help"],
)
def test_a_reader_that_goes_away_ends_a_command_in_silence(
    four_runs: Path, arguments: str, unbuffered: str
) -> None:
    """With the exit code of a tool that SIGPIPE ended; what was to be saved is."""
    command = f"'{sys.executable}' -m wbtui {arguments} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        env=environment_with(PYTHONUNBUFFERED=unbuffered),
    )
    assert done.stdout == "141\n"
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr
    assert bool(list(four_runs.glob("*/derived/*.json"))) == ("--save" in arguments)
    assert bool(list(four_runs.parent.glob("drawn/*.svg"))) == ("--figures" in arguments)


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["ls", "attach aaaa", "adjust aaaa --save", "--help"])
def test_a_closed_stream_is_no_reason_to_fail(four_runs: Path, arguments: str, closed: str) -> None:
    """As daemons and schedulers start programs."""
    command = f"'{sys.executable}' -m wbtui {arguments} {closed}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, env=environment_with()
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert bool(list(four_runs.glob("*/derived/*.json"))) == ("--save" in arguments)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_output_onto_a_full_disk_is_one_message(four_runs: Path, unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "wbtui", "export", "aaaa"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment_with(PYTHONUNBUFFERED=unbuffered),
        )
    assert done.returncode == 1
    assert done.stderr == "wbtui: the output cannot be written: No space left on device\n"
