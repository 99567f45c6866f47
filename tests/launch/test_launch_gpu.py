"""Whose use is written down for a run: that of the GPU it computes on, and of none where they are hidden from it."""

import sys
from types import SimpleNamespace

import pytest

from wbtui.launch.samples import open_gpu


class NVMLError(Exception):
    """As nvidia-ml-py's."""


class Nvml:
    """What is asked of nvidia-ml-py, on a machine with two GPUs that tell all but their temperature."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        self.opened: list[int | str] = []

    def nvmlInit(self) -> None:  # noqa: N802 - the library's names
        """Always there."""

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        if index > 1:
            raise NVMLError
        self.opened.append(index)
        return index

    def nvmlDeviceGetHandleByUUID(self, name: str) -> int:  # noqa: N802
        if not name.startswith("GPU-"):
            raise NVMLError
        self.opened.append(name)
        return 0

    def nvmlDeviceGetUtilizationRates(self, _: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=97)

    def nvmlDeviceGetMemoryInfo(self, _: int) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=9 << 30, total=140 << 30)

    def nvmlDeviceGetPowerUsage(self, _: int) -> int:  # noqa: N802
        return 412_500

    def nvmlDeviceGetTemperature(self, _: int, kind: int) -> int:  # noqa: N802
        raise NVMLError


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Nvml:
    library = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return library


def test_a_gpu_tells_what_it_can(nvml: Nvml) -> None:
    gpu = open_gpu("auto")
    assert gpu is not None
    assert gpu.sample() == {
        "percent": 97.0,
        "memory_bytes": float(9 << 30),
        "memory_total_bytes": float(140 << 30),
        "watts": 412.5,
    }


@pytest.mark.parametrize(
    ("visible", "device", "opened"),
    [
        (None, "cuda:1", [1]),
        (None, "cuda:2", []),
        (None, "cpu", []),
        ("1", "auto", [1]),
        ("1", "cuda:0", [1]),
        ("1", "cuda:1", []),
        ("GPU-7f,0", "cuda", ["GPU-7f"]),
        ("", "auto", []),
        ("-1", "auto", []),
    ],
)
def test_the_gpu_is_the_one_that_the_run_sees(
    visible: str | None, device: str, opened: list[int | str], nvml: Nvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert (open_gpu(device) is not None) == bool(opened)
    assert nvml.opened == opened
