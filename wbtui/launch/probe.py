"""Is there such a device, asked before a run folder is made? Torch answers in a process of its own."""

import subprocess
import sys
from collections.abc import Mapping

from wbtui.errors import UsageError
from wbtui.launch.environment import child_environment

PATIENCE = 60.0
_SCRIPT = """
import sys, torch
name = sys.argv[1]
if name == "mps":
    there, seen = torch.backends.mps.is_available(), "no MPS"
else:
    count = torch.cuda.device_count()
    there, seen = int(name.partition(":")[2] or 0) < count, f"{count} CUDA device(s)"
print("there" if there else f"torch {torch.__version__} sees {seen} here")
"""


def check_device(device: str) -> None:
    """Refuse a device that is not there; auto and cpu always are.

    Raises:
        UsageError: torch does not see the device, or cannot be asked.
    """
    if (why := _why_not(device)) != "":
        raise UsageError(f"device = {device!r}: {why}; expected cpu, auto or a device that is there")


def check_engine(engine: str, device: str) -> None:
    """Refuse recorded steps where a run that leaves its device open finds none to record them on.

    Raises:
        UsageError: there is no CUDA device, or torch cannot be asked.
    """
    if engine == "graphs" and device == "auto" and (why := _why_not("cuda")) != "":
        raise UsageError(
            f"engine = 'graphs' replays CUDA graphs: {why}; expected engine = 'eager' (or 'auto'), or a CUDA device"
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
