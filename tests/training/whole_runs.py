"""Whole runs in this process, and what they leave, to be held against each other."""

import json
import signal
from pathlib import Path

import tomli_w
import torch

from wbtui.data.longtail import load
from wbtui.presets import resolve
from wbtui.store.writer import RunWriter
from wbtui.training.__main__ import main
from wbtui.training.monitor import Monitor
from wbtui.training.runtime import Runtime
from wbtui.training.trainer import Trainer

CPU = torch.device("cpu")


class Interrupted(Monitor):
    """A monitor that asks for a stop after some batches."""

    def __init__(self, folder: Path, after: int = 10**9) -> None:
        super().__init__(folder, attempt=1)
        self._left = after

    def stop_reason(self) -> str:
        self._left -= 1
        return "" if self._left else "enough"


def run(
    folder: Path,
    engine: str,
    *settings: str,
    stop_after: int = 10**9,
    variant: str = "wb",
    device: torch.device = CPU,
) -> Path:
    """Train on glyphs in this process, as the trainer would on a device that has this engine."""
    new = not folder.exists()
    folder.mkdir(exist_ok=True)
    stages = len(resolve("glyphs_lt", variant).config.stages)
    short = ("stages.0.epochs=3", "stages.1.epochs=2")[:stages]
    config = resolve("glyphs_lt", variant, settings=(*short, *settings)).config
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    runtime = Runtime(device, "fp32", 1, engine)
    with RunWriter.open(folder, 1 if new else 2) as writer:
        if new:
            writer.event("start", epochs=config.total_epochs, classes=20)
        Trainer(folder, config, load(config.data), runtime, writer, Interrupted(folder, stop_after)).run()
    return folder


def results(folder: Path) -> dict[str, bytes]:
    """Every series, matrix and prediction of a run."""
    return {
        f"{name}/{path.name}": path.read_bytes()
        for name in ("series", "matrices", "predictions")
        for path in sorted((folder / name).iterdir())
    }


def epochs(folder: Path) -> list[dict[str, float]]:
    """The scalars of each epoch, times left out."""
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event["type"] == "epoch"]
    return [
        {name: value for name, value in event["scalars"].items() if not name.startswith("time.")}
        for event in events
    ]


def train_here(folder: Path) -> int:
    """The trainer without a process of its own, whose start takes longer than a short run: for what a run leaves."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        return main([str(folder)])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
