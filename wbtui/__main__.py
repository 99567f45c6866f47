"""`python -m wbtui` is `wbtui`."""

import sys

from wbtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
