"""With which compiler would torch.compile work on a processor?"""

import shutil
import sys
from collections.abc import Mapping


def cxx_compiler(environment: Mapping[str, str]) -> str:
    """The C++ compiler that torch takes: `CXX`, else clang++ on macOS and g++ elsewhere.

    Args:
        environment: of the process that compiles.

    Returns:
        Its path; empty where there is none.
    """
    name = environment.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    return shutil.which(name, path=environment.get("PATH")) or ""
