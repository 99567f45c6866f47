"""Run folders to read: small, whole, and made by the writer itself."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_helpers import CONFIG, METRICS, Make, Opened, measure, predict

from wbtui.store import records
from wbtui.store.format import Result
from wbtui.store.writer import RunWriter


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def make_run(runs: Path) -> Make:
    """Make a run folder: its name, its epochs, and whether it finished."""

    def make(
        name: str = "20261123-114500-tiny-wd-s7-0123abcd",
        epochs: int = 6,
        finished: bool = True,
        seed: int = 0,
    ) -> Path:
        folder = runs / name
        folder.mkdir()
        (folder / "config.toml").write_text(CONFIG)
        with RunWriter.open(folder) as writer:
            writer.event("start", total_epochs=6)
            for metric in METRICS:
                writer.define(metric)
            for epoch in range(1, epochs + 1):
                measure(writer, epoch, seed)
            if finished:
                predict(writer)
                writer.event("end", outcome="finished", reason="all epochs done")
        if finished:
            records.write_result(folder, Result(1, "finished", "all epochs done", 0, started=1.0, ended=9.0))
        return folder

    return make


_OPENING = ("open", "os.scandir", "os.listdir")
_listeners: list[list[str]] = []


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _listeners and event in _OPENING:
        path = arguments[0]
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else "a descriptor"
        for names in _listeners:
            names.append(name)


sys.addaudithook(_listen)


@pytest.fixture
def opened() -> Opened:
    @contextlib.contextmanager
    def listening() -> Iterator[list[str]]:
        names: list[str] = []
        _listeners.append(names)
        try:
            yield names
        finally:
            _listeners.remove(names)

    return listening
