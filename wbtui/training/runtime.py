"""On what does a run compute? Device, precision, threads and seeds, resolved once and recorded."""

import contextlib
import ctypes
import platform
import random
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from wbtui import catalog
from wbtui.config import RunConfig
from wbtui.cores import SMALL_NET_MFLOP, threads_given, usable_cores
from wbtui.errors import UsageError


@dataclass(frozen=True)
class Runtime:
    """What the arithmetic of a run depends on beside its configuration."""

    device: torch.device
    precision: str
    """fp32 or bf16 (autocast over fp32 weights)."""

    threads: int
    """torch threads."""

    engine: str = "eager"
    """eager (steps taken one by one from Python, the reference), graphs (whole steps recorded and replayed) or compiled
    (eager steps of a compiled net)."""

    @property
    def channels_last(self) -> bool:
        """Whether images and convolutions are laid out NHWC: measured faster on a CPU, not measured on CUDA."""
        return self.device.type != "mps"

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which the net computes.

        A recorded step casts its weights itself: a cast kept from elsewhere would be replayed with old weights.
        """
        return torch.autocast(
            self.device.type,
            dtype=torch.bfloat16,
            enabled=self.precision == "bf16",
            cache_enabled=self.engine != "graphs",
        )


@dataclass(frozen=True)
class Identity:
    """What must be the same for two runs with one configuration and seed to be identical on a CPU."""

    device: str
    precision: str
    engine: str
    threads: int
    instruction_set: str
    torch: str
    numpy: str
    processor: str

    def differences(self, recorded: dict[str, Any]) -> list[str]:
        """What differs from a recorded identity, in words; what was not recorded counts as the same."""
        return [
            f"{key} {recorded.get(key)!r} -> {value!r}"
            for key, value in asdict(self).items()
            if recorded.get(key, value) != value
        ]


def resolve_runtime(config: RunConfig, image_size: int, recorded: dict[str, Any] | None = None) -> Runtime:
    """Choose device, precision and threads, and set the process up for them.

    Args:
        config: the run.
        image_size: side of an image in pixels; with the net it tells the cost of an image.
        recorded: the identity of an earlier attempt; its precision and threads are kept.

    Raises:
        UsageError: the device is not there, or cannot do what is asked of it.
    """
    device = resolve_device(config.device)
    engine = resolve_engine(config.engine, device)
    small = catalog.net(config.model.name).forward_mflop(image_size, config.model.width) < SMALL_NET_MFLOP
    precision = config.precision if config.precision != "auto" else _auto_precision(device, small)
    threads = config.threads or (1 if small else threads_given() or usable_cores())
    if recorded:
        precision, threads = recorded.get("precision", precision), int(recorded.get("threads", threads))
    torch.set_num_threads(threads)
    if device.type == "cpu":
        keep_freed_memory()
    if device.type == "cuda":
        if device.index is not None:
            # Else torch asks another device what it can do, and takes memory of it.
            torch.cuda.set_device(device)
        # Convolutions in fp32 would be TF32 by torch's default (10 bits of mantissa): no reference for bf16.
        torch.backends.cudnn.allow_tf32 = precision != "fp32"
    return Runtime(device, precision, threads, engine)


def keep_freed_memory() -> None:
    """Let malloc keep what tensors free, on Linux with glibc; elsewhere nothing happens.

    By default a tensor of some megabytes is mapped from the kernel and given back each time, so that every step touches
    new pages again.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_threshold, 2**30)


def resolve_engine(name: str, device: torch.device) -> str:
    """How steps are taken; `auto` is eager until graphs have been measured against it.

    Raises:
        UsageError: graphs on a device that has none, or a net compiled for a device that is no processor.
    """
    if name == "graphs" and device.type != "cuda":
        raise UsageError(
            f"engine = 'graphs' replays CUDA graphs, and this run's device is {device.type}; expected "
            "engine = 'eager' (or 'auto'), or a CUDA device"
        )
    if name == "compiled" and device.type != "cpu":
        raise UsageError(
            f"engine = 'compiled' compiles for a processor, and this run's device is {device.type}; expected "
            "device = 'cpu', or engine = 'eager' (or 'auto')"
        )
    return "eager" if name == "auto" else name


def resolve_device(name: str) -> torch.device:
    """The device of that name; `auto` is CUDA where there is one, else the CPU.

    Raises:
        UsageError: no such device on this machine, or one that torch cannot use.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda":
        _require_cuda(name, device.index or 0)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"device = {name!r}: torch {torch.__version__} has no MPS here; expected cpu")
    return device


def _require_cuda(name: str, number: int) -> None:
    """Refuse a CUDA device that is not there or cannot be used: torch counts devices without asking the driver."""
    seen = f"torch {torch.__version__} sees {torch.cuda.device_count()} CUDA device(s)"
    if number >= torch.cuda.device_count():
        raise UsageError(
            f"device = {name!r}: {seen}; expected cpu or one of them (`wbtui doctor` lists them)"
        )
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]  # torch's own
    except RuntimeError as error:
        why = str(error).partition("\n")[0]
        raise UsageError(
            f"device = {name!r}: {seen} and cannot use them: {why}; expected a driver for CUDA {torch.version.cuda} "
            "that is up (nvidia-smi), or cpu"
        ) from error


def idle_gpus(config: RunConfig, runtime: Runtime) -> list[str]:
    """One line where `auto` became the processor though torch counts CUDA devices: it cannot use them."""
    count = torch.cuda.device_count() if config.device == "auto" and runtime.device.type == "cpu" else 0
    if not count:
        return []
    return [
        f"device = 'auto' is the processor: torch {torch.__version__} sees {count} CUDA device(s) and cannot use them "
        "(`wbtui doctor` says why)"
    ]


def identity(runtime: Runtime) -> Identity:
    """What identity of results depends on, here and now."""
    name = (
        torch.cuda.get_device_name(runtime.device) if runtime.device.type == "cuda" else runtime.device.type
    )
    return Identity(
        device=name,
        precision=runtime.precision,
        engine=runtime.engine,
        threads=runtime.threads,
        instruction_set=torch.backends.cpu.get_cpu_capability(),
        torch=torch.__version__,
        numpy=np.__version__,
        processor=processor_name(),
    )


def seed_everything(seed: int) -> None:
    """Seed python, numpy and torch; order and augmentation have their own generators."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def processor_name() -> str:
    """The processor's model name, or what the platform calls it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a kernel file
            facts = dict(line.rstrip("\n").split("\t: ", 1) for line in lines if "\t: " in line)
    except OSError:
        facts = {}
    return facts.get("model name") or platform.processor() or platform.machine()


def _auto_precision(device: torch.device, small: bool) -> str:
    if device.type == "cuda":
        with torch.cuda.device(device):  # torch asks the current one
            return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type == "cpu" and not small and _cpu_has_bf16():
        return "bf16"
    return "fp32"


def _cpu_has_bf16() -> bool:
    """Elsewhere bf16 is emulated and slower than fp32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
