"""Did memory run out, and what is then said: at which batch, at which peak of how much, and what to change?"""

import re
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import psutil
import torch

from wbtui.config import RunConfig
from wbtui.store.format import Phase

Kind = Literal["device", "host"]

_DEVICE = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "_STATUS_ALLOC_FAILED",
    "_DEVICE_ALLOCATION_FAILED",  # cuDNN 9
    "MPS backend out of memory",
)
_HOST = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "bad_alloc",
    "_HOST_ALLOCATION_FAILED",  # cuDNN 9
)
_NO_ENGINE = ("unable to find an engine to execute this computation",)
"""What torch says where no algorithm of cuDNN ran a convolution: refusals of a workspace are swallowed on the way."""

_WORTH_NAMING = 2**30
"""Bytes: a process's CUDA context with its kernels and recordings, some 600 MB, is not of its allocator either."""

_ASKED = re.compile(r"tried to allocate ([\d.]+) ?(bytes|[KMGT]iB)", re.IGNORECASE)


@dataclass(frozen=True)
class Memory:
    """The memory that ran out, in bytes."""

    name: str
    """What it belongs to, for people."""

    peak: int
    """The most that this process held of it."""

    total: int
    """All there is."""

    others: int
    """What this process's tensors do not hold and nobody can have: other processes', and its own CUDA context."""


def ran_out(error: BaseException) -> Kind | None:
    """Which memory ran out, going by an exception or what it came from; None: another failure.

    A recording that breaks off raises its own error over the one of the allocator.
    """
    for cause in _with_causes(error):
        if isinstance(cause, torch.OutOfMemoryError) or _speaks(cause, _DEVICE):
            return "device"
        if isinstance(cause, MemoryError) or _speaks(cause, _HOST):
            return "host"
        if _speaks(cause, _NO_ENGINE) and _allocator_refused():
            return "device"
    return None


def memory(kind: Kind, device: str) -> Memory:
    """What there is and what was used of it; `device` as configured. MPS shares the machine's memory."""
    if kind == "device" and torch.cuda.is_available():
        number = torch.device(device if device.startswith("cuda") else "cuda")
        free, total = torch.cuda.mem_get_info(number)
        return Memory(
            torch.cuda.get_device_name(number),
            torch.cuda.max_memory_allocated(number),
            total,
            max(total - free - torch.cuda.memory_reserved(number), 0),
        )
    machine = psutil.virtual_memory()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    held = psutil.Process().memory_info().rss
    return Memory("this machine", peak, machine.total, max(machine.total - machine.available - held, 0))


def describe(
    error: BaseException, kind: Kind, config: RunConfig, phase: Phase, epoch: int, held: Memory
) -> str:
    """One sentence on memory that ran out.

    Args:
        error: what was raised; it may say how much was asked for.
        kind: which memory.
        config: the run's.
        phase: what was being done.
        epoch: the epoch in work over all stages, from 1.
        held: peak and total.
    """
    asked = next((match for cause in _with_causes(error) if (match := _ASKED.search(str(cause)))), None)
    wanted = f"; {_amount(*asked.groups())} more were asked for" if asked else ""
    others = f"; {_gib(held.others)} were held by others" if held.others >= _WORTH_NAMING else ""
    doing, advice = _circumstances(config, phase, epoch)
    advice = [*advice, "model.width"]
    hints = [f"a smaller {' or '.join(advice)}"]
    if kind == "device":
        hints += ["precision = 'bf16'"] if config.precision == "fp32" else []
        hints += ["engine = 'eager', which keeps no recordings"] if config.engine == "graphs" else []
    hints.append("fewer runs at once")
    return (
        f"out of memory on {held.name} {doing}: {config.model.name} came to a peak of {_gib(held.peak)} of "
        f"{_gib(held.total)}{wanted}{others}; try {', '.join(hints[:-1])} (--set) or {hints[-1]}"
    )


def _circumstances(config: RunConfig, phase: Phase, epoch: int) -> tuple[str, list[str]]:
    """What was being done, with its batch, and the keys that make that smaller."""
    evaluated = f"evaluation.batch_size = {config.evaluation.batch_size}"
    if phase in ("evaluation", "ending"):
        return f"while measuring after epoch {epoch} ({evaluated})", ["evaluation.batch_size"]
    stage, before = 0, config.stages[0].epochs
    while epoch > before and stage + 1 < len(config.stages):
        stage += 1
        before += config.stages[stage].epochs
    batch = f"stages.{stage}.batch_size = {config.stages[stage].batch_size}"
    if phase in ("preparing", "training"):
        doing = "in training" if phase == "training" else "while preparing the steps of"
        return f"{doing} epoch {epoch} ({batch})", [f"stages.{stage}.batch_size"]
    return f"before training began ({batch}, {evaluated})", []


def _allocator_refused() -> bool:
    """Whether torch's allocator has refused memory of a CUDA device to this process."""
    if not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch's own
        return False
    numbers = range(torch.cuda.device_count())
    return any(torch.cuda.memory_stats(number).get("num_ooms", 0) for number in numbers)


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what it was raised from, and so on; each once."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or following.__context__


def _speaks(error: BaseException, phrases: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in phrases)


def _amount(number: str, unit: str) -> str:
    return _gib(int(float(number))) if unit.lower() == "bytes" else f"{number} {unit}"


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 / 10 else f"{count / 2**20:.0f} MiB"
