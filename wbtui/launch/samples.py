"""What do a run's processes and its device use, every few seconds? Lines of system.jsonl, by the waiter."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from wbtui.launch.environment import cuda_hidden, cuda_name
from wbtui.store import jsonio
from wbtui.store.errors import StoreWriteError
from wbtui.store.log import LineWriter

EVERY_SECONDS = 5.0
LINES = 2_000
"""About how many lines a run may leave: samples of a long run are taken further apart."""


def group_members(group: int) -> Iterator[psutil.Process]:
    """The living processes of a process group."""
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            if os.getpgid(pid) == group:
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process


class Sampler(threading.Thread):
    """Appends samples of a process group to a file until closed; on a full disk samples are lost, no more."""

    def __init__(self, path: Path, group: int, device: str) -> None:
        super().__init__(name="sampler", daemon=True)
        self._path, self._group = path, group
        self._gpu = open_gpu(device)
        self._closed = threading.Event()
        self._processes: dict[int, psutil.Process] = {}
        self._began = time.monotonic()

    def close(self) -> None:
        """Stop sampling."""
        self._closed.set()
        self.join(timeout=2.0)

    def run(self) -> None:
        """Sample until closed."""
        psutil.cpu_percent()  # the first call only starts the measurement
        self._processor_percent()
        lines: LineWriter | None = None
        while not self._closed.wait(max(EVERY_SECONDS, (time.monotonic() - self._began) / LINES)):
            try:
                lines = lines or LineWriter(self._path)
                lines.append(jsonio.encode(self.sample()))
            except StoreWriteError:
                continue
        if lines is not None:
            lines.close()

    def sample(self) -> dict[str, Any]:
        """One sample: percent of one core, bytes, and the GPU where there is one."""
        processor = self._processor_percent()
        memory = psutil.virtual_memory()
        sample: dict[str, Any] = {
            "t": round(time.time(), 3),
            "cpu_percent": processor,
            "memory_bytes": self._memory(),
            "processes": len(self._processes),
            "machine_cpu_percent": psutil.cpu_percent(),
            "machine_memory_bytes": memory.total - memory.available,
            "machine_memory_total_bytes": memory.total,
        }
        if self._gpu is not None:
            sample["gpu"] = self._gpu.sample()
        return sample

    def _processor_percent(self) -> float:
        """Processor time of the group since the last call, in percent of one core."""
        living = {process.pid: process for process in group_members(self._group)}
        self._processes = {pid: self._processes.get(pid, process) for pid, process in living.items()}
        total = 0.0
        for process in self._processes.values():
            with contextlib.suppress(psutil.Error):
                total += process.cpu_percent()
        return round(total, 1)

    def _memory(self) -> int:
        total = 0
        for process in self._processes.values():
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        return total


class Gpu:
    """One GPU, through NVML."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    def sample(self) -> dict[str, float]:
        """Utilisation in percent, bytes, watts, °C; what the GPU does not tell is absent."""
        nvml, handle = self._nvml, self._handle
        found: dict[str, float] = {}
        with contextlib.suppress(nvml.NVMLError):
            found["percent"] = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        with contextlib.suppress(nvml.NVMLError):
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            found["memory_bytes"], found["memory_total_bytes"] = float(memory.used), float(memory.total)
        with contextlib.suppress(nvml.NVMLError):
            found["watts"] = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
        with contextlib.suppress(nvml.NVMLError):
            found["celsius"] = float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        return found


def open_gpu(device: str) -> Gpu | None:
    """The GPU behind `auto`, `cuda` or `cuda:N`; None without nvidia-ml-py, a driver or that GPU, or if it is hidden.

    A queued run in a processor's slot has its GPUs hidden: what they do is not its use.
    """
    if device not in ("auto", "cuda") and not device.startswith("cuda:"):
        return None
    number = int(device.partition(":")[2] or 0)
    if cuda_hidden(number):
        return None
    try:
        import pynvml  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return None
    name = cuda_name(number)
    try:
        pynvml.nvmlInit()
        if name.isdigit():
            return Gpu(pynvml, pynvml.nvmlDeviceGetHandleByIndex(int(name)))
        return Gpu(pynvml, pynvml.nvmlDeviceGetHandleByUUID(name))
    except pynvml.NVMLError:
        return None
