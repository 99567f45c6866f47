"""What becomes of a command line, and of a mistake in it?"""

import sys
from collections.abc import Sequence

from wbtui.cli.bare import dashboard_options, open_dashboard
from wbtui.errors import RunFailedError, UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.text import plain

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; the exit code. A user's mistake is a message, never a traceback."""
    typed_words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        bare = dashboard_options(typed_words)
        if bare is not None:
            open_dashboard(bare)
        else:
            from wbtui.cli.commands import app  # Typer costs a sixth of the dashboard's start

            app(args=typed_words, prog_name="wbtui")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else DONE if end.code is None else FAILED
    except UsageError as error:
        return _say(error, USAGE)
    except RunFailedError as error:
        return _say(error, FAILED)
    except StoreWriteError as error:
        return _say(error, FAILED if error.disk_full else USAGE)
    return DONE


def _say(error: Exception, code: int) -> int:
    print(f"wbtui: {plain(str(error), lines=True)}", file=sys.stderr)
    return code
