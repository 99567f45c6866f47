"""Rooms load only what they may: looked at in fresh processes, in `sys.modules`."""

import importlib
import pkgutil
import subprocess
import sys

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
)
TORCH_ROOMS = ("training", "models", "data", "diagnostics")
LOOK = "import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\nprint(*sys.modules)"


def modules(room: str) -> list[str]:
    package = importlib.import_module(f"wbtui.{room}")
    inner = pkgutil.walk_packages(getattr(package, "__path__", []), f"wbtui.{room}.")
    return [f"wbtui.{room}", *(found.name for found in inner if not found.name.endswith("__main__"))]


def loaded(names: list[str]) -> set[str]:
    look = LOOK.format(names=names)
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, timeout=120, check=True
    )
    return set(done.stdout.split())


def test_reading_rooms_load_no_torch_and_no_trainer_and_the_dashboard_alone_a_screen() -> None:
    names = [name for room in READERS for name in modules(room)]
    assert not loaded(names) & {"torch", "torchvision", "wbtui.training", "textual"}
    assert not loaded(modules("tui")) & {"torch", "torchvision", "wbtui.training"}


def test_torch_rooms_run_without_what_only_readers_need() -> None:
    names = [name for room in TORCH_ROOMS for name in modules(room)]
    assert not loaded(names) & {"textual", "tinydb", "typer", "rich"}
