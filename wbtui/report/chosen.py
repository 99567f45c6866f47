"""Which runs does a person mean who names some, or filters, or both?"""

from collections.abc import Sequence
from pathlib import Path

from wbtui.errors import UsageError
from wbtui.report.filters import parse_filter
from wbtui.store.errors import StoreReadError
from wbtui.store.ids import resolve_runs
from wbtui.store.index import Listing, RunIndex
from wbtui.store.reader import Run, open_run
from wbtui.store.runs_folder import runs_words
from wbtui.store.setting import is_imported
from wbtui.store.text import plain


def chosen_folders(runs: Path, names: Sequence[str], filter_text: str = "") -> list[Path]:
    """Folders of the runs that were named, or of all, as far as the filter lets them through.

    Args:
        runs: the folder of runs.
        names: what `ids.resolve_run` takes; empty: all runs of the folder.
        filter_text: see `filters`; empty: no filter. A run outside the folder of runs does not pass a filter.

    Returns:
        Each once, in the order they were named, else by time.

    Raises:
        UsageError: a name means no run or several, or the filter cannot be read.
    """
    named = resolve_runs(runs, names)
    if named and not filter_text:
        return named
    rows = parse_filter(filter_text).of(RunIndex(runs).listing().rows)
    passing = [Path(row.path) for row in rows if not row.unreadable]  # a lesser problem the command tells
    if not named:
        return passing
    allowed = {path.resolve() for path in passing}
    return [folder for folder in named if folder.resolve() in allowed]


def finished(runs: Sequence[Run]) -> tuple[list[Run], list[str]]:
    """Runs with final figures, and a sentence on each of the others."""
    kept, left_out = [], []
    for run in runs:
        state = run.state()
        if state.name != "finished":
            left_out.append(f"left out: {plain(run.id)} is {state.name}")
            continue
        try:
            if not is_imported(run.config):
                _ = run.run_config()
            _ = run.result
        except StoreReadError as error:
            left_out.append(f"left out: {plain(str(error))}")
        else:
            kept.append(run)
    return kept, left_out


def rebuild_index(runs: Path) -> Listing:
    """Make the index of the runs anew from their folders.

    Raises:
        UsageError: the index is there and cannot be replaced.
    """
    index = RunIndex(runs)
    try:
        index.path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{plain(str(index.path))}: cannot be replaced: {error.strerror}") from None
    return index.listing()


def some_folders(runs: Path, names: Sequence[str], filter_text: str = "") -> list[Path]:
    """As `chosen_folders`, but at least one.

    Raises:
        UsageError: none is left.
    """
    found = chosen_folders(runs, names, filter_text)
    if not found:
        which = "none of the named runs" if names else "no run"
        words = f" is {plain(filter_text)!r}" if filter_text else ""
        command = f"`wbtui ls{plain(runs_words(runs))}`"
        raise UsageError(f"{plain(str(runs))}: {which}{words}; {command} lists those there are")
    return found


def pointed_at(runs: Path, names: Sequence[str], filter_text: str) -> tuple[list[Run], list[str]]:
    """The runs that were named; of a filter those that have finished, and a sentence on each of the others.

    Args:
        runs: the folder of runs.
        names: what `ids.resolve_run` takes; empty: whatever the filter lets through.
        filter_text: see `filters`; empty: no filter.

    Raises:
        UsageError: neither names nor a filter, or none is left.
    """
    if not names and not filter_text:
        raise UsageError("which runs? expected RUN..., or --filter WORDS as in `wbtui ls --filter`")
    found = [open_run(folder) for folder in some_folders(runs, names, filter_text)]
    if names:
        return found, []
    kept, left_out = finished(found)
    if not kept:
        raise UsageError(f"none of the runs that are {plain(filter_text)!r} is finished")
    return kept, left_out
