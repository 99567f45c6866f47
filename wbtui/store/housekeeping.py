"""What do runs cost on disk, and how is one put aside or slimmed without harming a living one?"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wbtui.errors import UsageError
from wbtui.store import bounded
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import BEST_CHECKPOINT, BIN, CHECKPOINT, QUEUE
from wbtui.store.ids import resolve_id, run_ids, run_words
from wbtui.store.lock import LOCK_PATIENCE, RUN_LOCK, kept_free
from wbtui.store.reader import Run
from wbtui.store.summary import summarise
from wbtui.store.text import plain


def remove_run(runs: Path, run_id: str) -> Path:
    """Move a run into the bin, runs/.bin/; nothing is deleted.

    Args:
        runs: The folder of runs.
        run_id: Its whole id, see `ids.resolve_run`.

    Returns:
        Where it is now.

    Raises:
        UsageError: a process may be working on it, or the bin has a run of this name.
        StoreWriteError: it cannot be moved.
    """
    with _not_taken_up(runs / run_id) as free:
        if why := _why_living(runs / run_id, free):
            raise UsageError(f"{plain(run_id)}: {why}")
        return _move(runs / run_id, runs / BIN / run_id)


def restore_run(runs: Path, text: str) -> Path:
    """Move a run out of the bin again, for whoever resumes it: it does not come back into the queue.

    Args:
        runs: The folder of runs.
        text: What `ids.resolve_run` takes, but no path.

    Returns:
        Where it is now.

    Raises:
        UsageError: none or several in the bin match, or runs has one of this name.
        StoreWriteError: it cannot be moved.
    """
    run_id = in_bin(runs, text)
    try:
        (runs / BIN / run_id / QUEUE).unlink(missing_ok=True)
    except OSError as error:
        raise StoreWriteError(runs / BIN / run_id / QUEUE, error) from error
    return _move(runs / BIN / run_id, runs / run_id)


def in_bin(runs: Path, text: str) -> str:
    """The id of the run in the bin that a person means.

    Raises:
        UsageError: as `restore_run`.
    """
    return resolve_id(run_ids(runs / BIN), text, f"the bin of {plain(str(runs))}")


def _move(source: Path, target: Path) -> Path:
    if not bounded.safe_relative(source.name) or source.is_symlink() or not source.is_dir():
        raise UsageError(f"{plain(str(source))}: no folder of a run")
    if os.path.lexists(target):
        raise UsageError(f"{plain(str(target))}: there already; rename one of the two")
    try:
        target.parent.mkdir(exist_ok=True)
        return source.rename(target)
    except OSError as error:
        raise StoreWriteError(target, error) from error


@contextlib.contextmanager
def _not_taken_up(folder: Path) -> Iterator[bool]:
    """Keep a run from being taken up for a while; yields whether no process works on it, as far as locks tell.

    A waiter that has just begun shows in none of its files yet, and one on another host may not be believed by them.
    """
    with contextlib.ExitStack() as stack:
        free = True
        with contextlib.suppress(StoreWriteError):  # without locks nobody can tell
            free = stack.enter_context(kept_free(folder / RUN_LOCK, LOCK_PATIENCE))
        yield free


def _why_living(folder: Path, free: bool) -> str:
    """Why a run may be in somebody's hands; empty if it is not. What cannot be read has no living trainer known."""
    try:
        state = Run(folder).state()
    except StoreReadError:
        return ""
    if state.name == "queued":
        return f"queued; `wbtui queue remove {run_words(folder)}` takes it out and into the bin"
    if state.living:
        return f"{state.name} ({state.evidence}); stop it first"
    return "" if free else f"a process works on it ({state.evidence}); stop it first"


@dataclass(frozen=True)
class PrunePlan:
    """Which checkpoints could go."""

    files: tuple[tuple[Path, int], ...]
    """Each with its bytes on disk."""
    kept: tuple[tuple[Path, str], ...]
    """Run folders left alone, and why."""

    @property
    def bytes(self) -> int:
        """What they take together."""
        return sum(size for _, size in self.files)


def plan_prune(folders: Iterable[Path], *, keep_best: bool = True, unfinished: bool = False) -> PrunePlan:
    """What pruning would delete; deletes nothing.

    Args:
        folders: Run folders.
        keep_best: Whether best.pt stays.
        unfinished: Whether stopped, failed and crashed runs are pruned too; they can then not be resumed.
    """
    files: list[tuple[Path, int]] = []
    kept: list[tuple[Path, str]] = []
    for folder in folders:
        if why := _why_kept(folder, unfinished):
            kept.append((folder, why))
            continue
        for name in (CHECKPOINT,) if keep_best else (CHECKPOINT, BEST_CHECKPOINT):
            path = folder / name
            if path.is_file() and not path.is_symlink():
                files.append((path, path.lstat().st_size))
    return PrunePlan(tuple(files), tuple(kept))


def _why_kept(folder: Path, unfinished: bool) -> str:
    try:
        state = Run(folder).state()
    except StoreReadError as error:
        return str(error)
    if not (state.name == "finished" or (unfinished and state.terminal)):
        return f"{state.name} ({state.evidence})"
    if problem := summarise(Run(folder)).problem:  # then its checkpoint may be the best that is left of it
        return f"damaged: {problem}"
    return ""


def prune(plan: PrunePlan, *, unfinished: bool = False) -> int:
    """Delete the files of a plan; a run that was taken up again since is left alone.

    Args:
        plan: See `plan_prune`.
        unfinished: As given to it.

    Returns:
        Bytes freed.

    Raises:
        StoreWriteError: a file cannot be deleted.
    """
    freed = 0
    for path, size in plan.files:
        with _not_taken_up(path.parent) as free:
            if not free or _why_kept(path.parent, unfinished):
                continue
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreWriteError(path, error) from error
        freed += size
    return freed
