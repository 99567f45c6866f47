"""The options that several commands have, once."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from wbtui.errors import UsageError
from wbtui.store.runs_folder import RUNS_VARIABLE, expanded


def _or_before_the_command(context: typer.Context, value: Path) -> Path:
    """`wbtui --runs DIR ls` means the same as `wbtui ls --runs DIR`; a word behind the command goes first."""
    first = context.find_root()
    if typed(first, "runs") and not typed(context, "runs"):
        before: Path = first.params["runs"]
        return before
    return expanded(value)


def named_folder(text: str) -> Path:
    """A folder as typed; nothing at all, as an unset variable of a script gives, is none, and not the working folder.

    Raises:
        UsageError: it is empty.
    """
    if not text:
        raise UsageError("--runs '': expected a folder (. is the one that you are in)")
    return Path(text)


def expanded_folder(value: Path | None) -> Path | None:
    """For an option that names a folder to be made; see `runs_folder.expanded`."""
    return expanded(value) if value else None


def typed(context: Any, parameter: str) -> bool:
    """Whether a context's parameter stands on the command line, not in the environment or nowhere."""
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


def check_plot_size(context: Any) -> None:
    """Refuse --width and --height, which would be ignored, where nothing is drawn: without --plot.

    Raises:
        UsageError: one of them stands on the command line.
    """
    for parameter in ("width", "height"):
        if typed(context, parameter) and not context.params["plot"]:
            raise UsageError(f"--{parameter} belongs to --plot")


Runs = Annotated[
    Path,
    typer.Option(
        "--runs",
        envvar=RUNS_VARIABLE,
        metavar="DIR",
        help="The folder of all runs.",
        parser=named_folder,
        callback=_or_before_the_command,
    ),
]
Filter = Annotated[
    str, typer.Option("--filter", "-f", metavar="WORDS", help="Only runs that `wbtui ls --filter` shows.")
]
Detach = Annotated[bool, typer.Option("--detach", help="Print the run's id and return.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what goes wrong.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the events, one JSON object a line.")]
OneRun = Annotated[str, typer.Argument(metavar="RUN", help="The shortest unique part of an id, or @last.")]
SomeRuns = Annotated[list[str], typer.Argument(metavar="RUN...", help="Unique parts of ids, or @last.")]


@dataclass(frozen=True)
class Asked:
    """Which runs a command line asks for, as typed: the options of every command that makes runs."""

    preset: Annotated[str, typer.Option(help="Data preset; `wbtui presets` lists them.")] = ""
    variant: Annotated[
        str, typer.Option("--variant", help="Method, or several: ce,wd,wb. Without it the preset's own.")
    ] = ""
    seed: Annotated[str, typer.Option("--seed", help="Seed, or several: 0,1,2 or 0-4.")] = ""
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="One value or several, e.g. stages.0.epochs=40; may be repeated.",
        ),
    ] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")] = None
    data_root: Annotated[
        Path | None,
        typer.Option("--data-root", metavar="PATH", help="Where the images are: a folder, or a .npz file."),
    ] = None
    config_file: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="TOML of settings, e.g. a run's config.toml."),
    ] = None
    source: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="RUN",
            help="A finished run, or several (a,b), whose stages are taken over: only further ones of --variant train.",
        ),
    ] = ""
    name: Annotated[str | None, typer.Option(help="A name of your own.")] = None
    tags: Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")] = None
    note: Annotated[str, typer.Option(help="A note.")] = ""
    download: Annotated[bool, typer.Option("--download", help="Fetch missing images without asking.")] = False


def asks_for_runs(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `Asked` in the place of its parameter `asked`."""

    @wraps(command)
    def with_options(**typed: object) -> None:
        asked = Asked(**{field.name: typed.pop(field.name) for field in fields(Asked)})  # type: ignore[arg-type]
        command(asked=asked, **typed)

    signature = inspect.signature(command)
    options = inspect.signature(Asked).parameters.values()
    parameters = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for own in signature.parameters.values()
        for parameter in (options if own.name == "asked" else [own])
    ]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options
