"""`python -m wbtui` is `wbtui`: the first lines of both."""

import sys


def run() -> int:
    """Run the command line; the exit code. Nothing is imported before Ctrl-C is awaited: it would be a traceback."""
    try:
        from wbtui.cli.main import main

        return main()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(run())
