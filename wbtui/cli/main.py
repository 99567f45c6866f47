"""What becomes of a command line, and of a mistake in it?"""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from wbtui.cli.bare import dashboard_options, open_dashboard
from wbtui.errors import RunFailedError, UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.text import plain

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""
READER_GONE = 141
"""The exit code where nobody reads the output any more, `wbtui ls | head -1`: a shell's for what SIGPIPE ends."""

_OUT_OF_REACH = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.ESTALE)
"""Why a path that somebody named cannot even be looked at: `Path.is_file()` raises these."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. A user's mistake is a message, never a traceback."""
    _ready_streams()
    try:
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()  # the reader's end shows here or in the interpreter's last breath, which would complain
    except KeyboardInterrupt:  # while a command's modules are imported; later ones are Typer's
        return INTERRUPTED
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        return READER_GONE
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT) or error.filename is not None:
            raise
        _discard(sys.stdout)
        print(f"wbtui: the output cannot be written: {error.strerror}", file=sys.stderr)
        return FAILED
    return code


def _ready_streams() -> None:
    """A stream that was closed (`>&-`, cron, some daemons) leads nowhere; what an encoding lacks is written as ?."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # so each gets its own number again
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 (open to the end)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _discard(*streams: TextIO) -> None:
    """What is left in their buffers goes nowhere; else the interpreter would try once more, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _run(typed_words: Sequence[str]) -> int:
    try:
        bare = dashboard_options(typed_words)
        if bare is not None:
            open_dashboard(bare)
        else:
            from wbtui.cli.commands import app  # Typer costs a sixth of the dashboard's start

            app(args=typed_words, prog_name="wbtui")
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # of which Typer makes exit code 1
            raise end.__context__ from None
        if type(end.__context__).__name__ == "Abort":  # Typer's, of Ctrl-C or Ctrl-D at a question
            return INTERRUPTED
        return end.code if isinstance(end.code, int) else DONE if end.code is None else FAILED
    except UsageError as error:
        return _say(error, USAGE)
    except RunFailedError as error:
        return _say(error, FAILED)
    except StoreWriteError as error:
        return _say(error, FAILED if error.disk_full else USAGE)
    except (FileNotFoundError, RuntimeError):
        if lost := _lost():
            return _say(UsageError(lost), USAGE)
        raise
    except OSError as error:
        if error.errno not in _OUT_OF_REACH or error.filename is None:
            raise
        return _say(UsageError(f"{error.filename}: {error.strerror}"), USAGE)
    return DONE


def _lost() -> str:
    """Which folder is gone that a process takes for granted, and what to do; empty where none is."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the folder that you are in has been removed; go to another one (cd)"
    try:
        Path.home()
    except RuntimeError:  # a container's user without a name
        return "nothing says where your home folder is; set HOME"
    return ""


def _say(error: Exception, code: int) -> int:
    print(f"wbtui: {plain(str(error), lines=True)}", file=sys.stderr)
    return code
