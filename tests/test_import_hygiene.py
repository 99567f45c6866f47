"""Rooms load only what they may: looked at in a fresh process, module by module, in `sys.modules`."""

import pkgutil
import subprocess
import sys

import pytest

import wbtui

READERS = (
    "cli",
    "launch",
    "report",
    "store",
    "adjustment",
    "metrics",
    "plotting",
    "presets",
    "notices",
    "own_preset",
    "config",
    "tui",
)
TORCH_ROOMS = ("training", "models", "data", "diagnostics")
LOOK = "import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"


def modules(room: str) -> list[str]:
    if not any(found.name == room for found in pkgutil.iter_modules(wbtui.__path__)):
        return []
    package = __import__(f"wbtui.{room}", fromlist=["_"])
    inner = pkgutil.walk_packages(getattr(package, "__path__", []), f"wbtui.{room}.")
    return [f"wbtui.{room}", *(found.name for found in inner if not found.name.endswith("__main__"))]


def loaded(names: list[str]) -> set[str]:
    look = LOOK.format(names=names)
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("room", READERS)
def test_a_reading_room_loads_no_torch_and_no_trainer(room: str) -> None:
    found = loaded(modules(room))
    assert not found & {"torch", "torchvision", "wbtui.training"}
    if room != "tui":
        assert "textual" not in found


@pytest.mark.parametrize("room", TORCH_ROOMS)
def test_a_torch_room_runs_without_what_only_readers_need(room: str) -> None:
    assert not loaded(modules(room)) & {"textual", "tinydb", "typer", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["ls"], ["presets"], ["config"], ["show", "--help"]])
def test_a_reading_command_loads_no_torch_and_no_textual(arguments: list[str]) -> None:
    look = (
        "import sys\nfrom wbtui.cli.main import main\n"
        f"main({arguments!r})\nprint('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=True
    )
    assert not set(done.stdout.splitlines()[-1].split()) & {"torch", "textual"}
