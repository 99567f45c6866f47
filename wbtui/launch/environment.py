"""What does a child process need so that it finds this package, wherever the user stands?"""

import os
from pathlib import Path

import wbtui


def child_environment() -> dict[str, str]:
    """This environment; where the package is not installed, with its folder on PYTHONPATH.

    Children start with `python -P`: a user's random.py must not become the standard library's. CUDA counts its devices
    as nvidia-smi and NVML do, unless somebody chose otherwise: by itself it would put the fastest first, and a
    machine's cuda:1 would be another card than the one whose use is shown.
    """
    environment = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"} | dict(os.environ)
    beside = Path(wbtui.__file__).resolve().parents[1]
    if beside.name not in ("site-packages", "dist-packages"):
        paths = [str(beside), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return environment


def cuda_name(number: int) -> str:
    """What `CUDA_VISIBLE_DEVICES` calls the device `cuda:number` of this environment: a number or a UUID."""
    visible = _visible()
    return visible[number] if number < len(visible) else str(number)


def cuda_hidden(number: int) -> bool:
    """Whether `CUDA_VISIBLE_DEVICES` leaves out the device `cuda:number`; an empty one leaves out all."""
    return "CUDA_VISIBLE_DEVICES" in os.environ and number >= len(_visible())


def _visible() -> list[str]:
    return [part.strip() for part in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part.strip()]
