"""What is said when the dashboard itself breaks? The runs are processes of their own and know nothing of it."""

import platform
import time
import traceback
from importlib.metadata import version
from pathlib import Path

import platformdirs

from wbtui.store.text import plain

FILE = "dashboard-crash.txt"
_FRAMES = 6  # of the innermost calls; the file has all
_LONGEST = 300  # characters of what the error says


def crash_file() -> Path:
    """Where the whole traceback of the last crash lies."""
    return platformdirs.user_state_path("wbtui") / FILE


def crash_report(error: BaseException) -> str:
    """Keep the whole traceback in `crash_file`, and say in a few lines what happened and what to do.

    Neither has the values of variables: what stands in runs and notes is nobody else's business.

    Args:
        error: What nobody caught.
    """
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = [f"  {plain(_place(frame.filename))}:{frame.lineno} in {plain(frame.name)}" for frame in frames]
    said = plain(" ".join(str(error).split()))[:_LONGEST]
    lines = [
        "wbtui: the dashboard broke; your runs go on; open wbtui again",
        *where,
        f"  {type(error).__name__}" + (f": {said}" if said else ""),
        _kept(error),
    ]
    return "\n".join(lines)


def _place(filename: str) -> str:
    """A source file from its package on."""
    path = Path(filename)
    parts = path.parts
    for package in ("wbtui", "textual"):
        if package in parts[:-1]:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(package) :])
    return path.name


def _kept(error: BaseException) -> str:
    path = crash_file()
    words = (f"{name} {version(name)}" for name in ("wbtui", "textual"))
    head = (
        f"{time.strftime('%Y-%m-%d %H:%M:%S %z')}  {', '.join(words)}, Python {platform.python_version()}\n"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(head + "".join(traceback.format_exception(error)), "utf-8", "backslashreplace")
    except OSError as problem:
        return f"The whole traceback could not be written: {plain(str(path))}: {problem.strerror}"
    return f"The whole traceback:\n{plain(str(path))}"
