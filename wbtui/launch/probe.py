"""Is there such a device, asked before a run folder is made? Torch answers in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping

from wbtui.compiler import cxx_compiler, has_python_headers
from wbtui.errors import UsageError
from wbtui.launch.environment import child_environment

PATIENCE = 60.0
_SCRIPT = """
import sys, torch
name = sys.argv[1]
if name == "mps":
    there, seen = torch.backends.mps.is_available(), "no MPS here"
else:
    count = torch.cuda.device_count()
    there, seen = int(name.partition(":")[2] or 0) < count, f"{count} CUDA device(s) here"
    if there:
        try:
            torch.cuda.init()  # devices are counted without asking the driver, which may be too old or not up
        except RuntimeError as error:
            there, seen = False, f"{seen} and cannot use them: {str(error).splitlines()[0]}"
print("there" if there else f"torch {torch.__version__} sees {seen}")
"""


def check_device(device: str) -> None:
    """Refuse a device that is not there; auto and cpu always are.

    Raises:
        UsageError: torch does not see the device, or cannot be asked.
    """
    if (why := _why_not(device)) != "":
        raise UsageError(f"device = {device!r}: {why}; expected cpu, auto or a device that is there")


def check_engine(engine: str, device: str) -> None:
    """Refuse a way of taking steps that this machine has not.

    A configuration that names its device has been held against its engine already; `auto` is asked of torch here.

    Raises:
        UsageError: no CUDA device to record steps on, or one that compiled steps would not use; no C++ compiler or
            no Python.h; torch cannot be asked.
    """
    if engine == "graphs" and device == "auto" and (why := _why_not("cuda")) != "":
        raise UsageError(
            f"engine = 'graphs' replays CUDA graphs: {why}; expected engine = 'eager' (or 'auto'), or a CUDA device"
        )
    if engine != "compiled":
        return
    if not cxx_compiler(os.environ):
        raise UsageError(
            "engine = 'compiled' needs a C++ compiler, and neither CXX nor the usual name leads to one; expected "
            "engine = 'eager' (or 'auto'), or g++ (clang++ on macOS) on the PATH"
        )
    if not has_python_headers():
        raise UsageError(
            "engine = 'compiled' needs Python.h, which is not installed for this Python; expected engine = 'eager' (or "
            "'auto'), or Python's headers (Debian and Ubuntu: the package python3-dev)"
        )
    if device == "auto" and _why_not("cuda") == "":
        raise UsageError(
            "engine = 'compiled' compiles for a processor, and device = 'auto' is a CUDA device here; expected "
            "device = 'cpu', or engine = 'eager' (or 'auto')"
        )


def check_slots(slots: Mapping[str, int]) -> None:
    """Refuse slots on devices that are not there: a run that leaves its device open would train on the CPU instead.

    Raises:
        UsageError: torch does not see one of the devices, or cannot be asked.
    """
    for device, count in slots.items():
        if (why := _why_not(device)) != "":
            raise UsageError(f"--slots {device}={count}: {why}; expected cpu, auto or devices that are there")


def _why_not(device: str) -> str:
    if device in ("auto", "cpu"):
        return ""
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-c", _SCRIPT, device],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=child_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"torch gave no answer within {PATIENCE:.0f} s"
    said = (answer.stdout.strip() or answer.stderr.strip() or "nothing").splitlines()[-1]
    return "" if said == "there" else said
