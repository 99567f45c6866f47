"""Memory that runs out ends a run in one sentence: which batch, which peak of how much, what to change."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch

from wbtui.config import RunConfig
from wbtui.presets import resolve
from wbtui.store.format import Phase
from wbtui.training.out_of_memory import Memory, describe, memory, ran_out

CUDA = torch.OutOfMemoryError(
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 140 GiB"
)
H200 = Memory("NVIDIA H200", peak=138 << 30, total=140 << 30, others=0)


def two_stages(*settings: str) -> RunConfig:
    return resolve(
        "glyphs_lt", "wb", settings=("stages.0.epochs=3", "stages.0.batch_size=48", *settings)
    ).config


@pytest.mark.parametrize(
    ("phase", "epoch", "where", "advice"),
    [
        ("training", 3, "in training epoch 3 (stages.0.batch_size = 48)", "a smaller stages.0.batch_size or"),
        (
            "preparing",
            4,
            "while preparing the steps of epoch 4 (stages.1.batch_size = 64)",
            "a smaller stages.1.batch_size or",
        ),
        ("training", 4, "in training epoch 4 (stages.1.batch_size = 64)", "a smaller stages.1.batch_size or"),
        (
            "evaluation",
            3,
            "after epoch 3 (evaluation.batch_size = 500)",
            "a smaller evaluation.batch_size or",
        ),
        ("ending", 13, "after epoch 13 (evaluation.batch_size = 500)", "a smaller evaluation.batch_size or"),
        ("data", 0, "before training began (stages.0.batch_size = 48", "a smaller model.width"),
    ],
)
def test_the_message_names_the_batch_the_peak_and_what_to_change(
    phase: Phase, epoch: int, where: str, advice: str
) -> None:
    said = describe(CUDA, "device", two_stages(), phase, epoch, H200)
    for part in (
        "out of memory on NVIDIA H200",
        where,
        "peak of 138.0 GiB of 140.0 GiB",
        "2.00 GiB more",
        advice,
    ):
        assert part in said
    assert "\n" not in said
    assert "held by others" not in said


def test_the_advice_is_what_this_run_can_still_change() -> None:
    wide = describe(CUDA, "device", two_stages("precision=fp32"), "training", 1, H200)
    assert "precision = 'bf16'" in wide
    assert "engine" not in wide
    recorded = RunConfig.model_validate({"engine": "graphs", "precision": "bf16", "device": "cuda:1"})
    shared = Memory("NVIDIA H200", peak=1 << 30, total=140 << 30, others=100 << 30)
    said = describe(CUDA, "device", recorded, "training", 1, shared)
    assert "engine = 'eager'" in said
    assert "precision = 'bf16'" not in said
    assert "100.0 GiB were held by others" in said
    alone = Memory("NVIDIA H200", peak=138 << 30, total=140 << 30, others=700 << 20)  # a CUDA context
    assert "held by others" not in describe(CUDA, "device", recorded, "training", 1, alone)
    assert "precision" not in describe(MemoryError(), "host", two_stages(), "training", 1, shared)


def raised_from(error: Exception, cause: Exception) -> Exception:
    """As a recording does that breaks off: its own error over the one of the allocator."""
    try:
        try:
            raise cause
        except Exception:  # noqa: BLE001 - whatever it is
            raise error  # noqa: B904 - without `from`, as torch's own context manager
    except Exception as found:  # noqa: BLE001
        return found


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CUDA, "device"),
        (RuntimeError("CUDA error: out of memory"), "device"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            "device",
        ),
        (
            raised_from(
                RuntimeError("CUDA error: operation failed due to a previous error during capture"), CUDA
            ),
            "device",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), "device"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED"), "host"),
        (MemoryError(), "host"),
        (np._core._exceptions._ArrayMemoryError((4,), np.dtype("f4")), "host"),
        (RuntimeError("std::bad_alloc"), "host"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (ValueError("DefaultCPUAllocator: can't allocate memory"), None),
        (OSError(12, "Cannot allocate memory"), None),
    ],
)
def test_memory_that_ran_out_is_told_from_other_failures(error: Exception, kind: str | None) -> None:
    assert ran_out(error) == kind


@pytest.mark.parametrize(("refusals", "kind"), [(3, "device"), (0, None)])
def test_a_convolution_without_workspace_is_memory_where_the_allocator_has_refused_some(
    refusals: int, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch tries every algorithm of cuDNN and swallows each refusal; without one the message means another failure."""
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "memory_stats", lambda number: {"num_ooms": refusals} if number else {})
    error = RuntimeError("GET was unable to find an engine to execute this computation")
    assert ran_out(error) == kind


def test_torchs_own_refusal_on_a_cpu_is_recognised() -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert ran_out(raised.value) == "host"
    said = describe(raised.value, "host", two_stages(), "training", 1, memory("host", "cpu"))
    assert f"{2**30:.1f} GiB more were asked for" in said


def test_the_machines_memory_is_measured() -> None:
    found = memory("device", "cpu")  # no CUDA: the device's memory is the machine's
    assert 50 << 20 < found.peak < found.total


# ---------------------------------------------------------------------- whole runs of the real trainer

DEVICE = """
import sys, torch
from wbtui.training import session
from wbtui.training.__main__ import main
from wbtui.training.out_of_memory import Memory
from wbtui.training.stage import Stage

class FullDevice(Stage):
    left = 3
    def step(self, inputs, labels, rate):
        self.left -= 1
        if not self.left:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return super().step(inputs, labels, rate)

import wbtui.training.trainer as trainer
trainer.Stage = FullDevice
session.memory = lambda kind, device: Memory("NVIDIA H200", 138 << 30, 140 << 30, 0)
sys.exit(main([sys.argv[1]]))
"""
HOST = """
import resource, sys, torch
from pathlib import Path
from wbtui.training import session
from wbtui.training.__main__ import main

held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + (768 << 20), resource.RLIM_INFINITY))
sys.exit(main([sys.argv[1]]))
"""


def trained(folder: Path, script: str, *settings: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    config = resolve("glyphs_lt", "wd", settings=settings).config
    folder.mkdir()
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    return done, json.loads((folder / "result.json").read_text("utf-8"))


def test_a_run_out_of_device_memory_is_marked_failed_and_can_go_on(tmp_path: Path) -> None:
    done, result = trained(tmp_path / "run", DEVICE, "stages.0.epochs=2", "precision=fp32")
    assert (done.returncode, result["outcome"], result["exit_code"]) == (1, "failed", 1)
    assert result["reason"] in done.stderr
    for part in (
        "NVIDIA H200 in training epoch 1 (stages.0.batch_size = 32)",
        "138.0 GiB of 140.0",
        "'bf16'",
    ):
        assert part in result["reason"]
    assert "Traceback" not in done.stdout + done.stderr + result["error"]
    last = json.loads((tmp_path / "run" / "events.jsonl").read_text("utf-8").splitlines()[-1])
    assert (last["type"], last["reason"]) == ("end", result["reason"])
    again = subprocess.run(
        [sys.executable, "-m", "wbtui.training", str(tmp_path / "run")],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert again.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/self/statm and a limit that binds are Linux's")
def test_a_run_whose_net_does_not_fit_into_memory_is_marked_failed(tmp_path: Path) -> None:
    """Really out of memory: the process may not have what three layers of 20,000 units need."""
    done, result = trained(tmp_path / "run", HOST, "model.name=mlp", "model.width=20000")
    assert (done.returncode, result["outcome"]) == (1, "failed")
    assert "out of memory on this machine before training began" in result["reason"]
    assert "1.5 GiB more were asked for" in result["reason"]
    assert "smaller model.width" in result["reason"]
    assert "Traceback" not in done.stdout + done.stderr + result["error"]
