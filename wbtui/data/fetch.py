"""`python -m wbtui.data.fetch SOURCE`: download a data set in its own process, for callers without torch."""

import argparse
import signal
import sys

SOURCES = ("cifar10", "cifar100", "mnist", "fashion_mnist")


def main(arguments: list[str] | None = None) -> int:
    """Download, with a progress display on stderr; 0 when the files are there, else one message and 2."""
    from wbtui.config import DataConfig
    from wbtui.data.sources import torchvision_sets
    from wbtui.errors import UsageError

    parser = argparse.ArgumentParser(prog="python -m wbtui.data.fetch", description=__doc__)
    parser.add_argument("source", choices=SOURCES)
    parser.add_argument("--root", default="", help="folder to download into; default: the user's cache")
    given = parser.parse_args(arguments)
    try:
        torchvision_sets.fetch(DataConfig(source=given.source, root=given.root))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    # Whoever breaks a download off wants no page of traceback; so before the imports, which take a second.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
