"""With what would torch.compile work on a processor?"""

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path


def cxx_compiler(environment: Mapping[str, str]) -> str:
    """The C++ compiler that torch takes: `CXX`, else clang++ on macOS and g++ elsewhere.

    Args:
        environment: of the process that compiles.

    Returns:
        Its path; empty where there is none.
    """
    name = environment.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    return shutil.which(name, path=environment.get("PATH")) or ""


def has_python_headers() -> bool:
    """Whether Python.h, which compiled steps include, is installed: distributions package it apart from Python."""
    folder = Path(sysconfig.get_path("include"))
    if sys.platform == "darwin" and not folder.exists():  # a framework's
        folder = Path(sysconfig.get_path("stdlib")).parent.parent / "Headers"
    return (folder / "Python.h").is_file()
