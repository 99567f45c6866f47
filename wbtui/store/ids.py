"""What is a run called, and which run does a person mean?"""

import contextlib
import difflib
import os
import re
import secrets
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wbtui.errors import UsageError
from wbtui.store import atomic
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import BIN, CONFIG, FORMAT_VERSION, PROVENANCE
from wbtui.store.reader import open_run
from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain

if TYPE_CHECKING:
    from wbtui.config import RunConfig

_LAST = re.compile(r"@last(?:-(\d{1,6}))?", re.ASCII)
_DIGITS = re.compile(r"[0-9a-f]{8}")
_TIME = len("20261123-114500")  # characters of an id
_SHORTEST = 4  # digits of a short id
_SHOWN = 5  # candidates in a message


def new_id(preset: str, variant: str, seed: int, when: datetime | None = None) -> str:
    """A fresh run id, e.g. 20261123-114500-cifar10_lt-wd-s0-7f3a91c2.

    Args:
        preset: Label of the data preset; what is no letter, digit or _ becomes _, and an empty one `custom`.
        variant: Label of the variant; likewise.
        seed: The run's seed.
        when: Time of making, now by default; the id has it in UTC.
    """
    moment = (when or datetime.now(UTC)).astimezone(UTC)
    words = (re.sub(r"[^A-Za-z0-9_]", "_", word)[:40] or "custom" for word in (preset, variant))
    return f"{moment:%Y%m%d-%H%M%S}-{'-'.join(words)}-s{seed}-{secrets.token_hex(4)}"


def create_run(runs: Path, config: "RunConfig", provenance: Mapping[str, Any] | None = None) -> Path:
    """Make a run folder with config.toml and provenance.json; an existing folder is never touched.

    Args:
        runs: The folder of runs; made if missing.
        config: The resolved configuration.
        provenance: What docs/run-folder.md lists; JSON values.

    Returns:
        The new run folder.

    Raises:
        UsageError: as `check_runs_folder`.
        StoreWriteError: the folder cannot be made or written; none is left behind.
    """
    import tomli_w

    check_runs_folder(runs)
    folder = runs / new_id(config.preset, config.variant, config.seed)
    try:
        runs.mkdir(parents=True, exist_ok=True)
        folder.mkdir()  # fails where it exists: no two runs share a folder
    except OSError as error:
        raise StoreWriteError(folder, error) from error
    try:
        atomic.write_json(folder / PROVENANCE, {"version": FORMAT_VERSION, **(provenance or {})})
        # Last: with it the folder is a run, and what an index makes of both is kept as long as it is the same.
        atomic.write_bytes(folder / CONFIG, tomli_w.dumps(config.model_dump(mode="json")).encode())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def run_ids(runs: Path) -> list[str]:
    """Names of the folders in a folder of runs, sorted: by time for ids. Hidden ones and links are left out.

    Raises:
        UsageError: the folder cannot be listed.
    """
    try:
        with os.scandir(runs) as entries:
            return sorted(
                e.name for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)
            )
    except FileNotFoundError:
        check_runs_folder(runs)
        return []
    except NotADirectoryError:
        raise file_not_folder(runs) from None
    except OSError as error:
        raise UsageError(f"{plain(str(runs))}: cannot be listed: {error.strerror}") from error


def check_runs_folder(runs: Path) -> None:
    """Look whether a folder of runs is one, or can be made where it is not there yet.

    Raises:
        UsageError: it is a file, or a link to what is not there: on a drive that is not mounted, say.
    """
    if runs.is_file():
        raise file_not_folder(runs)
    if runs.is_symlink() and not runs.exists():
        target = plain(str(runs.readlink()))
        raise UsageError(f"--runs {plain(str(runs))}: a link to {target}, which is not there")


def file_not_folder(runs: Path) -> UsageError:
    """What to say where the folder of runs is a file."""
    return UsageError(f"--runs {plain(str(runs))}: this is a file, not a folder")


def resolve_run(runs: Path, text: str) -> Path:
    """The run folder that a person means.

    Args:
        runs: The folder of runs.
        text: A path to a run folder (with a /); an id; the beginning of an id or of its last 8 digits; the end
            of an id; @last, @last-1 ... of the folders that have a configuration, in the order they were made.

    Raises:
        UsageError: none or several match; the message lists the nearest, or says that the run is in the bin.
    """
    if "/" in text or os.sep in text or text.startswith("~"):
        return _at(text)
    ids = run_ids(runs)
    if _LAST.fullmatch(text):  # figures, exported tables and the like may lie beside runs
        ids = _by_making(runs, ids)
    elif not text.startswith("@") and not _meant(ids, text):
        removed = _meant(run_ids(runs / BIN), text)
        if removed:
            raise _removed(runs, removed, text)
    return runs / resolve_id(ids, text, plain(str(runs)))


def _by_making(runs: Path, ids: Iterable[str]) -> list[str]:
    """Those that have a configuration, which is written once; by its time where ids were given in one second."""
    made = {}
    for name in ids:
        with contextlib.suppress(OSError):
            made[name] = (name[:_TIME], (runs / name / CONFIG).lstat().st_mtime_ns, name)
    return sorted(made, key=made.__getitem__)


def resolve_runs(runs: Path, texts: Iterable[str]) -> list[Path]:
    """The run folders that a person means, in the order they are named, each once however it is named.

    Raises:
        UsageError: as `resolve_run`.
    """
    found: dict[Path, Path] = {}
    for text in texts:
        folder = resolve_run(runs, text)
        found.setdefault(folder.resolve(), folder)
    return list(found.values())


def resolve_id(ids: list[str], text: str, where: str) -> str:
    """The one of `ids`, sorted by time, that `text` means (`resolve_run`); `where` is for the message."""
    if not ids:
        raise UsageError(f"{where}: there are no runs here")
    if last := _LAST.fullmatch(text):
        back = int(last[1] or 0)
        if back >= len(ids):
            has = (
                "one run; expected @last"
                if len(ids) == 1
                else f"{len(ids)} runs; expected @last to @last-{len(ids) - 1}"
            )
            raise UsageError(f"{plain(text)}: {where} has {has}")
        return ids[-1 - back]
    found = _meant(ids, text)
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{plain(text)!r} means {len(found)} runs in {where}: {_some(found)}; type more of one"
        )
    raise UsageError(f"{plain(text)!r}: no such run in {where}; nearest: {_some(_nearest(ids, text))}")


def _at(text: str) -> Path:
    """The run folder of a path."""
    with contextlib.suppress(RuntimeError):  # ~ of nobody stays as it is
        text = str(Path(text).expanduser())
    path = Path(text)
    try:
        return open_run(path).path
    except StoreReadError:
        with contextlib.suppress(OSError, ValueError):  # no such path can be
            if (path.parent / BIN / path.name).is_dir():
                raise _removed(path.parent, [path.name], text) from None
        raise


def _removed(runs: Path, names: list[str], text: str) -> UsageError:
    """What to say where only runs of the bin are meant."""
    if len(names) == 1:
        return UsageError(
            f"{plain(names[0])}: in the bin; `wbtui restore {run_words(runs / names[0])}` brings it back"
        )
    return UsageError(
        f"{plain(text)!r}: in the bin are {len(names)} such runs: {_some(names)}; "
        f"`wbtui restore RUN{plain(runs_words(runs))}` brings one back"
    )


def _meant(ids: Sequence[str], text: str) -> list[str]:
    """The ids that an id, its beginning, the beginning of its last 8 digits, or its end may mean."""
    exact = [name for name in ids if text in (name, _tail(name))]
    return exact or [
        name
        for name in ids
        if text and (name.startswith(text) or _tail(name).startswith(text) or name.endswith(text))
    ]


def run_words(folder: Path) -> str:
    """What a command typed next needs to mean this run: the end of its id, and the folder of runs where needed."""
    tail = _tail(folder.name)
    return plain(shlex.quote(tail if _DIGITS.fullmatch(tail) else folder.name) + runs_words(folder.parent))


def short_ids(ids: Iterable[str]) -> dict[str, str]:
    """For each run id the shortest beginning of its last part, from `_SHORTEST` digits, that means this run alone."""
    unique = sorted(set(ids), key=_tail)
    tails = [_tail(run) for run in unique]
    short = {}
    for index, (run, tail) in enumerate(zip(unique, tails, strict=True)):
        neighbours = [tails[other] for other in (index - 1, index + 1) if 0 <= other < len(tails)]
        length = max([_SHORTEST, *(_common(tail, other) + 1 for other in neighbours)])
        short[run] = run if tail in neighbours else tail[:length]
    return short


def _common(a: str, b: str) -> int:
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return length


def _tail(run_id: str) -> str:
    return run_id.rsplit("-", 1)[-1]


def _some(names: list[str]) -> str:
    shown = ", ".join(plain(name) for name in names[-_SHOWN:])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _nearest(ids: list[str], text: str) -> list[str]:
    by_word = {word: name for name in ids for word in (name, _tail(name))}
    words = difflib.get_close_matches(text, by_word, n=_SHOWN, cutoff=0.3)
    return list(dict.fromkeys(by_word[word] for word in words)) or ids[-_SHOWN:]
