"""The options that several commands have, once."""

from pathlib import Path
from typing import Annotated

import typer

RUNS_DEFAULT = Path("runs")

Runs = Annotated[
    Path, typer.Option("--runs", envvar="WBTUI_RUNS", metavar="DIR", help="The folder of all runs.")
]
Preset = Annotated[str, typer.Option(help="Data preset; `wbtui presets` lists them.")]
Variants = Annotated[
    str, typer.Option("--variant", help="Method, or several: ce,wd,wb. Without it the preset's own.")
]
Seeds = Annotated[str, typer.Option("--seed", help="Seed, or several: 0,1,2.")]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="One value or several, e.g. stages.0.epochs=40; may be repeated."
    ),
]
Device = Annotated[str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N.")]
DataRoot = Annotated[Path | None, typer.Option("--data-root", metavar="DIR", help="Where the images are.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="TOML of settings, e.g. a run's config.toml.")
]
Name = Annotated[str | None, typer.Option(help="A name of your own.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")]
Note = Annotated[str, typer.Option(help="A note.")]
Download = Annotated[bool, typer.Option("--download", help="Fetch missing images without asking.")]
Detach = Annotated[bool, typer.Option("--detach", help="Print the run's id and return.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only what goes wrong.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the events, one JSON object a line.")]
OneRun = Annotated[str, typer.Argument(metavar="RUN", help="The shortest unique part of an id, or @last.")]
SomeRuns = Annotated[list[str], typer.Argument(metavar="RUN...", help="Unique parts of ids, or @last.")]
