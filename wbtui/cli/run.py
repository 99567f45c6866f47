"""`wbtui run`: one command line → configurations, run folders, runs at work, and a view of them."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wbtui.cli import options
from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

if TYPE_CHECKING:
    from wbtui.config import DataConfig
    from wbtui.presets import Resolved

__all__ = ["RUNS_DEFAULT", "Runs", "app"]

app = typer.Typer()

PRECEDENCE = (
    "later wins: defaults < preset < variant < --config < --set < --seed, --device, --data-root, --name"
)


@app.command()
@options.asks_for_runs
def run(
    asked: options.Asked,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print every value and its origin; run nothing.")
    ] = False,
    detach: options.Detach = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Start a run and follow it.

    Each value comes from the last of: defaults, preset, variant, --config, --set, the options of their own
    (--seed, --device, --data-root, --name); --dry-run shows which. Several variants, seeds or values of --set
    (a,b,c) multiply; those runs go through the queue. Runs go on when this terminal is closed; Ctrl-C asks them
    to stop.

    --from RUN takes over seed, configuration, epochs and last weights of a finished run, so that --variant (wb, crt,
    lws) trains the stages alone that come after its own.

    Exit codes: 0 finished, 1 a run failed, 2 wrong usage or configuration, 130 stopped.
    """
    from wbtui.cli.follow import counted_interrupts, follow_to_end
    from wbtui.cli.requests import check_all, make_all, resolve_all, say_notices

    resolved = resolve_all(asked, runs)
    say_notices(resolved)
    if dry_run:
        # A grid has one data section, and a folder takes seconds to count.
        in_words = functools.cache(_data_in_words)
        if as_json:
            _print_as_json(resolved)
        else:
            for one in resolved:
                _print_values(one, in_words)
        return
    check_all(resolved, asked.download)
    with counted_interrupts():  # from the half second on in which a run would be left half made
        folders = make_all(runs, resolved, asked)
        _start(runs, folders, resolved)
        if detach:
            print(*(folder.name for folder in folders), sep="\n")
            return
        raise typer.Exit(follow_to_end(folders, quiet, as_json))


def _start(runs: Path, folders: list[Path], resolved: list["Resolved"]) -> None:
    """A single run is started here and now; several go through the queue, which knows how many may run at once."""
    from wbtui.cli.requests import say_paused
    from wbtui.launch.start import start_run
    from wbtui.launch.worker import queue_up

    if len(folders) == 1:
        start_run(folders[0], resolved[0].config)
    elif not queue_up(runs, folders):
        say_paused(runs)


def _values_and_origins(resolved: "Resolved") -> dict[str, tuple[Any, str]]:
    from wbtui.config import flatten

    values = flatten(resolved.config.model_dump())
    return {key: (value, resolved.origins.get(key, "default")) for key, value in values}


def _print_as_json(resolved: list["Resolved"]) -> None:
    """One object; of a grid a list of them."""
    import json

    runs = [
        {key: {"value": value, "from": origin} for key, (value, origin) in _values_and_origins(one).items()}
        for one in resolved
    ]
    print(json.dumps(runs if len(runs) > 1 else runs[0], indent=2))


def _print_values(resolved: "Resolved", in_words: Callable[["DataConfig"], str]) -> None:
    from wbtui.store.text import plain

    values = _values_and_origins(resolved)
    width = max(map(len, values))
    shown = {key: _toml(value) for key, (value, _) in values.items()}
    middle = min(40, max(map(len, shown.values())))
    print(f"# {PRECEDENCE}")
    for key, text in shown.items():
        print(f"{key:{width}} = {text:{middle}}  # {plain(values[key][1])}")
    print(f"# {in_words(resolved.config.data)}")


def _toml(value: Any) -> str:
    import tomli_w

    return tomli_w.dumps({"x": value}).removeprefix("x = ").replace("\n", " ").strip()


def _data_in_words(config: "DataConfig") -> str:
    """What the images would be, or why they are not there."""
    from wbtui.data.available import available, planned_splits
    from wbtui.launch.start import absolute_root

    config = absolute_root(config)
    found = available(config)
    plan = planned_splits(config)
    if plan is None:
        return "data: " + (found.problem.replace("\n", " ") or "ready; their counts show when they are read")
    return f"data: {plan.description}" + (f"; {found.problem}" if found.problem else "")
