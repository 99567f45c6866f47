"""Could training start here, and if not, what is in the way?"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

import wbtui
from wbtui.errors import UsageError
from wbtui.report.machine import TorchFacts
from wbtui.report.presets_listing import shown_path
from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.terminal import has_unicode, make_console
from wbtui.report.values import counted, size
from wbtui.store.text import plain

Verdict = Literal["ok", "note", "bad"]
"""ok; note: something is missing that one may do without; bad: training cannot start."""

_STYLES: dict[Verdict, str] = {"ok": "green", "note": "yellow", "bad": "bold red"}
_PACKAGES = ("torch", "torchvision", "textual", "rich", "typer", "numpy", "pydantic", "tinydb", "psutil")
_NEEDED = ("torch", "numpy", "pydantic")
"""Without these nothing trains."""
_OPTIONAL = ("nvidia-ml-py",)
_LITTLE_SPACE = 1 << 30
_SHOWN_BROKEN = 10


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    about: str
    verdict: Verdict
    said: str


def findings_table(findings: Sequence[Finding]) -> Table:
    """What was found, a line each, and the conclusion."""
    columns = (
        Column("about", "about", right=False),
        Column("verdict", "", right=False),
        Column("said", "found", right=False, wrap=True),
    )
    rows = tuple(
        (
            text_cell(one.about, "bold"),
            Cell(one.verdict, one.verdict, _STYLES[one.verdict]),
            text_cell(one.said),
        )
        for one in findings
    )
    bad = [one for one in findings if one.verdict == "bad"]
    conclusion = "training cannot start here: see bad" if bad else "training can start"
    return Table(columns, rows, notes=(conclusion,))


def can_train(findings: Iterable[Finding]) -> bool:
    """Whether nothing is in the way of training."""
    return all(one.verdict != "bad" for one in findings)


def versions() -> list[Finding]:
    """wbtui, python and the packages it stands on."""
    found = [
        Finding("wbtui", "ok", f"{wbtui.__version__} in {shown_path(Path(wbtui.__file__).parent)}"),
        Finding("python", "ok", f"{platform.python_version()} {sys.executable}; {platform.platform()}"),
    ]
    installed = {name: _version(name) for name in _PACKAGES}
    there = [f"{name} {version}" for name, version in installed.items() if version]
    found.append(Finding("packages", "ok", ", ".join(there)))
    for name in (name for name, version in installed.items() if not version):
        found.append(Finding("packages", "bad" if name in _NEEDED else "note", f"{name} is not installed"))
    optional = [f"{name} {version}" for name in _OPTIONAL if (version := _version(name))]
    if not optional:
        optional = ["none; nvidia-ml-py would show GPU use in system samples"]
    return [*found, Finding("optional", "ok", ", ".join(optional))]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def devices(torch: TorchFacts) -> list[Finding]:
    """What can be computed on."""
    if not torch.version:
        return [Finding("torch", "bad", torch.problem)]
    built = f"CUDA {torch.cuda}" if torch.cuda else "no CUDA in this build"
    found = [Finding("torch", "ok", f"{torch.version}, {built}")]
    found += [Finding("device", "ok", str(device)) for device in torch.devices]
    return [*found, Finding("device", "bad", torch.problem)] if torch.problem else found


def data_sets() -> list[Finding]:
    """The images of every data preset: there, to be had by a download, or missing."""
    from wbtui.data.available import available
    from wbtui.presets import preset_paths, resolve

    found = []
    for name in sorted(preset_paths()):
        try:
            config = resolve(name).config.data
            answer = available(config)
        except UsageError as error:
            found.append(Finding(f"data {name}", "note", str(error)))
            continue
        if answer.ready:
            said = (
                f"{config.source} in {answer.place}" if answer.place else f"{config.source}, needs no files"
            )
            found.append(Finding(f"data {name}", "ok", said))
        elif answer.downloadable:
            said = f"{config.source} not in {answer.place}; `wbtui run --preset {name} --download` fetches it"
            found.append(Finding(f"data {name}", "note", said))
        else:
            found.append(Finding(f"data {name}", "note", " ".join(answer.problem.split())))
    return found


def terminal() -> list[Finding]:
    """What the terminal shows: size, colours, Unicode."""
    console = make_console()
    if not sys.stdout.isatty():
        return [Finding("terminal", "ok", "stdout is no terminal: plain text, nothing cut off")]
    columns, lines = shutil.get_terminal_size()
    colours = "NO_COLOR" if "NO_COLOR" in os.environ else console.color_system or "no colours"
    unicode = f"encoding {sys.stdout.encoding}" + ("" if has_unicode() else ", plots in ASCII")
    said = f"{columns}x{lines}, {colours}, {unicode}, TERM {os.environ.get('TERM', 'not set')}"
    small = columns < 60 or lines < 16
    return [
        Finding(
            "terminal", "note" if small else "ok", said + ("; the dashboard wants 60x16" if small else "")
        )
    ]


def runs_folder(runs: Path) -> list[Finding]:
    """Whether runs can be written there, and which of them are broken."""
    from wbtui.store.index import RunIndex

    shown = plain(str(runs.absolute()))
    # os.path: what may not be looked at is not there, no error.
    standing = next((path for path in (runs, *runs.absolute().parents) if os.path.exists(path)), Path("/"))  # noqa: PTH110
    if why := _why_unwritable(standing) or _why_unmakeable(runs):
        return [Finding("runs", "bad", f"{shown}: cannot be written: {why}; choose --runs or WBTUI_RUNS")]
    free = shutil.disk_usage(standing).free
    space = f"{size(free)} free"
    found = [Finding("disk", "note" if free < _LITTLE_SPACE else "ok", space)]
    if not os.path.exists(runs):  # noqa: PTH110
        return [*found, Finding("runs", "ok", f"{shown}: made with the first run")]
    try:
        listing = RunIndex(runs).listing()
    except UsageError as error:
        return [*found, Finding("runs", "bad", str(error))]
    found.append(Finding("runs", "ok", f"{shown}: {counted(len(listing.rows), 'run')}"))
    found += [Finding("index", "note", message) for message in listing.messages]
    broken = [(row.id, row.problem) for row in listing.rows if row.problem]
    broken += [(row.id, f"{row.bad_lines} bad lines in its events") for row in listing.rows if row.bad_lines]
    found += [Finding("broken run", "note", f"{run}: {why}") for run, why in broken[:_SHOWN_BROKEN]]
    more = len(broken) - _SHOWN_BROKEN
    return [*found, Finding("broken run", "note", f"{more} more")] if more > 0 else found


def _why_unmakeable(folder: Path) -> str:
    """Why a folder that is not there cannot be made where its parents can be written; empty: it can, or is there."""
    try:
        folder.lstat()
    except FileNotFoundError:
        return ""
    except OSError as error:  # a name that is too long
        return error.strerror or str(error)
    return "" if os.path.exists(folder) else "a symbolic link that leads nowhere"  # noqa: PTH110


def _why_unwritable(folder: Path) -> str:
    """Why no file can be made in a folder, found by making one; empty: it can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)
