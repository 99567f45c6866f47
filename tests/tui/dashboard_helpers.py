"""Run folders and a driven dashboard, for the tests of the screens."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from wbtui.store import records
from wbtui.store.format import Metric, Outcome, Result
from wbtui.store.writer import RunWriter
from wbtui.tui.app import WbtuiApp

CLASSES = 4
SIZES = [(80, 24), (120, 40), (200, 60)]
"""Of a terminal, in cells."""
STILL = "(wait until nothing moves)"
"""Among the keys of a picture: what comes next needs what the keys before it made."""
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Mn", "Me", "Zl", "Zp")), max_size=60
)
"""What takes a place on a screen, wide signs included."""
METRICS = (
    *(
        Metric(f"test.accuracy.{group}", "accuracy", "fraction", "higher", group)
        for group in ("all", "many", "medium", "few")
    ),
    Metric("validation.accuracy.all", "accuracy", "fraction", "higher", "all"),
    Metric("test.loss", "loss", "nats", "lower"),
    Metric("running.loss", "loss", "nats", "lower"),
    Metric("test.fdr", "fdr", better="higher"),
    Metric("bn.scale.mean", "bn_scale"),
    Metric("test.feature_norm@class", "feature_norm", axis="class", width=CLASSES),
    Metric("bn.scale@layer", "bn_scale", axis="layer", width=2, names=("net.first", "net.last")),
    Metric("test.confusion", "confusion", "images", axis="matrix", width=CLASSES),
    Metric("time.epoch_seconds", "time", "s", "lower"),
    Metric("time.images_per_second", "speed", "images/s", "higher"),
)
CONFIG = """preset = "digits_lt"
variant = "{variant}"
seed = {seed}
{name}
[data]
source = "digits"
images_per_class = 120
test_per_class = 50
[model]
name = "resnet8"
[[stages]]
epochs = {total}
weight_decay = {decay}
"""


def make_run(
    runs: Path,
    number: int = 0,
    *,
    variant: str = "wd",
    seed: int = 0,
    epochs: int = 5,
    total: int = 5,
    outcome: Outcome | None = "finished",
    error: str = "",
    name: str = "",
    decay: float = 0.005,
    accuracy: float = 0.5,
) -> Path:
    """Make a run folder; outcome None: nobody says how it ended."""
    folder = (
        runs
        / f"20261101-{number // 60:02}{number % 60:02}00-digits_lt-{variant}-s{seed}-{number * 7919 + 1:08x}"
    )
    folder.mkdir(parents=True)
    label = f"name = {name!r}" if name else ""
    text = CONFIG.format(variant=variant, seed=seed, total=total, name=label, decay=decay)
    (folder / "config.toml").write_text(text)
    with RunWriter.open(folder) as writer:
        writer.event("start")
        for metric in METRICS:
            writer.define(metric)
        for epoch in range(1, epochs + 1):
            measure(writer, epoch, total=total, accuracy=accuracy)
        if outcome in ("finished", "stopped", "failed"):
            writer.event("end", outcome=outcome, reason="as told", error=error)
    if outcome is not None:
        result = Result(1, outcome, "as told", 0, started=1.0, ended=9.0, epoch=epochs, error=error)
        records.write_result(folder, result)
    return folder


def some_runs(runs: Path, count: int) -> list[Path]:
    """Runs of three variants, seed after seed."""
    return [
        make_run(runs, number, variant=("wd", "ce", "wb")[number % 3], seed=number // 3)
        for number in range(count)
    ]


def measure(
    writer: RunWriter, epoch: int, *, total: int = 5, accuracy: float = 0.5, nan: bool = False
) -> None:
    """Write one epoch; its accuracy rises towards `accuracy`."""
    value = float("nan") if nan else accuracy * epoch / max(total, epoch)
    scalars = {
        "test.accuracy.all": value,
        "test.accuracy.many": value * 1.2,
        "test.accuracy.medium": value,
        "test.accuracy.few": float("nan"),  # a group without classes
        "validation.accuracy.all": value,
        "test.loss": float("inf") if nan else 2.0 / epoch,
        "running.loss": 1.5 / epoch,
        "test.fdr": 10.0 * epoch,
        "bn.scale.mean": 1.0 / epoch,
        "time.epoch_seconds": 2.0,
        "time.images_per_second": 100.0,
    }
    if epoch >= total:
        writer.matrix("test.confusion", epoch, np.eye(CLASSES))
    norms = np.array([4.0, 3.0, 2.0, 1.0]) + epoch
    writer.epoch(epoch, 0, scalars, {"test.feature_norm@class": norms, "bn.scale@layer": [0.5, 1.0 / epoch]})


@contextlib.asynccontextmanager
async def opened(
    runs: Path, size: tuple[int, int] = (120, 40), *, readonly: bool = False, ascii_only: bool = False
) -> AsyncIterator[tuple[WbtuiApp, Pilot[None]]]:
    """The dashboard, its first reading of the folder shown."""
    app = WbtuiApp(runs, readonly=readonly, ascii_only=ascii_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: app.snapshot.loaded)
        await settled(app, pilot)
        yield app, pilot


async def until(pilot: Pilot[None], what: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        await pilot.pause(0.02)


async def settled(app: WbtuiApp, pilot: Pilot[None]) -> None:
    """Wait until the runs that are looked at have been read and shown."""

    def ready() -> bool:
        wanted = app.feed.wanted
        details = app.snapshot.details
        return all(
            name in details and wanted.metrics <= details[name].vectors.keys() | details[name].matrices.keys()
            for name in wanted.runs
            if name in app.snapshot.by_id and app.snapshot.by_id[name].epoch >= 5
        )

    await until(pilot, ready)
    await pilot.pause()


def drive(what: Callable[[], Awaitable[None]]) -> None:
    """Run an asynchronous test to its end."""
    asyncio.run(what())


def screen_lines(app: WbtuiApp) -> list[str]:
    """What stands on the screen, without styles."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def said(app: WbtuiApp) -> str:
    """The messages that are shown."""
    return "\n".join(notification.message for notification in app._notifications)


def screen_text(app: WbtuiApp) -> str:
    """What stands on the screen, as one text."""
    return "\n".join(screen_lines(app))


async def still(app: WbtuiApp, pilot: Pilot[None]) -> None:
    """Wait until all that is looked at has been read, nothing is being computed, and the screen stays as it is."""
    deadline, quiet, before = time.monotonic() + 20.0, 0, ""
    while quiet < 2:
        assert time.monotonic() < deadline, "the screen does not come to rest"
        await pilot.pause(0.02)
        _without_blinking(app)
        text = screen_text(app)
        quiet = quiet + 1 if text == before and _all_is_read(app) and not _at_work(app) else 0
        before = text


def _without_blinking(app: WbtuiApp) -> None:
    for field in app.screen.query(Input):
        field.cursor_blink = False


def _at_work(app: WbtuiApp) -> bool:
    return getattr(app.screen, "busy", False) or any(not worker.is_finished for worker in app.workers)


def _all_is_read(app: WbtuiApp) -> bool:
    wanted, snapshot = app.feed.wanted, app.snapshot
    if not snapshot.loaded or (
        wanted.files and (snapshot.files is None or snapshot.files.id != wanted.files)
    ):
        return False
    for name in (name for name in wanted.runs if name in snapshot.by_id):
        detail = snapshot.details.get(name)
        if detail is None or detail.version == 0:
            return False
        if wanted.metrics & detail.metrics.keys() - detail.vectors.keys() - detail.matrices.keys():
            return False
    return True


def post_at_once(app: WbtuiApp, keys: Iterable[str]) -> None:
    """Hand keys to the application as a driver does that read them all at once."""
    for key in keys:
        name = _character_to_key(key) if len(key) == 1 else key
        app.post_message(events.Key(name, key if len(key) == 1 else None))
