"""What does a child process need so that it finds this package, wherever the user stands?"""

import os
from pathlib import Path

import wbtui


def child_environment() -> dict[str, str]:
    """This environment; where the package is not installed, with its folder on PYTHONPATH.

    Children start with `python -P`: a user's random.py must not become the standard library's.
    """
    environment = dict(os.environ)
    beside = Path(wbtui.__file__).resolve().parents[1]
    if beside.name not in ("site-packages", "dist-packages"):
        paths = [str(beside), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment
