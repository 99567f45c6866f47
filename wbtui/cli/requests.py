"""Which runs does a command line ask for, and can they be? Nothing is made before every one of them is checked."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typer

from wbtui.cli.follow import is_terminal
from wbtui.cli.options import Asked
from wbtui.data.source_images import AvailableData
from wbtui.errors import UsageError
from wbtui.launch.checks import check_runs
from wbtui.launch.grid import Point, expand
from wbtui.launch.stages_before import other_than_of_variant, read_source, resolve_after
from wbtui.launch.start import make_runs
from wbtui.notices import label_notices, notices
from wbtui.presets import Layer, Resolved, parse_value, read_layer, resolve
from wbtui.store.ids import resolve_run
from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain


def resolve_all(asked: Asked, runs: Path) -> list[Resolved]:
    """One configuration, or with lists in the options all their combinations; runs to go on from are in `runs`.

    Raises:
        UsageError: nothing to run, or a value that cannot be.
    """
    if asked.source:
        return _resolve_after(asked, runs)
    if not asked.preset and asked.config_file is None:
        raise UsageError(
            "nothing to run: expected --preset NAME (`wbtui presets` lists them), --config FILE or --from RUN"
        )
    points = expand(asked.variant, asked.seed, asked.settings or ())
    file = read_layer(asked.config_file) if asked.config_file else None  # once: a pipe has nothing left
    resolved = [_resolve(asked, point, file) for point in points]
    if file:
        _say(label_notices(file, asked.preset, points[0].variant))
    return resolved


def _resolve(asked: Asked, point: Point, file: Layer | None) -> Resolved:
    return resolve(asked.preset, point.variant, file, point.settings, _given(asked, point))


def _given(asked: Asked, point: Point) -> dict[str, Any]:
    """The options that stand for one key, where they are typed."""
    options = {
        "seed": parse_value(point.seed) if point.seed else None,
        "device": asked.device,
        "data.root": str(asked.data_root) if asked.data_root else None,
        "name": asked.name,
    }
    return {key: value for key, value in options.items() if value is not None}


def _resolve_after(asked: Asked, runs: Path) -> list[Resolved]:
    if asked.config_file is not None:
        raise UsageError(
            "--from and --config: a run to go on from brings its configuration; expected one of them"
        )
    points = expand(asked.variant, asked.seed, asked.settings or (), asked.source)
    sources = {point.source: None for point in points}
    found = {text: read_source(resolve_run(runs, text)) for text in sources}
    resolved = []
    otherwise: dict[str, dict[str, None]] = {}
    for point in points:
        source = found[point.source]
        one = resolve_after(source, asked.preset, point.variant, point.settings, _given(asked, point))
        resolved.append(one)
        if why := other_than_of_variant(source, one) if point.variant else "":
            otherwise.setdefault(why, {})[point.source] = None
    _say(f"--from {','.join(sources)}: {why}" for why, sources in otherwise.items())
    return resolved


def say_notices(resolved: Sequence[Resolved]) -> None:
    """Say on stderr, once each, what is allowed in these configurations but hardly meant."""
    _say(notices(one.config for one in resolved))


def _say(messages: Iterable[str]) -> None:
    for message in messages:
        print(f"note: {plain(message)}", file=sys.stderr)


def say_paused(runs: Path) -> None:
    """Say on stderr why runs that were put into the queue do not start."""
    print(f"the queue is paused: `wbtui queue start{plain(runs_words(runs))}` starts it", file=sys.stderr)


def check_all(resolved: Sequence[Resolved], download: bool) -> None:
    """Refuse runs whose device, engine or images are not there; a person is asked whether to fetch images.

    Args:
        resolved: the runs.
        download: whether missing images are fetched without asking.

    Raises:
        UsageError: what is missing and what to do.
    """
    check_runs([one.config for one in resolved], lambda found: download or _ask(found))


def _ask(found: AvailableData) -> bool:
    return is_terminal() and typer.confirm(f"{found.problem}\nDownload now?")


def make_all(runs: Path, resolved: Sequence[Resolved], asked: Asked) -> list[Path]:
    """Make the folders of these runs.

    Raises:
        UsageError: a tag or the note cannot be; no folder is left behind.
        StoreWriteError: the runs folder cannot be written; likewise.
    """
    return make_runs(runs, resolved, command=sys.argv, tags=asked.tags or (), note=asked.note)
