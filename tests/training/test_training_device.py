"""Which CUDA device does a run compute on, and what is said where torch counts one and cannot use it?"""

import json
import os
from pathlib import Path

import pytest
import tomli_w
import torch

from wbtui.config import RunConfig
from wbtui.errors import UsageError
from wbtui.launch.probe import check_device
from wbtui.presets import resolve
from wbtui.store.writer import RunWriter
from wbtui.training.monitor import Monitor
from wbtui.training.runtime import resolve_device, resolve_runtime
from wbtui.training.session import train

OLD_DRIVER = "The NVIDIA driver on your system is too old (found version 12040)."


def test_no_run_of_a_test_computes_on_a_gpu_of_the_machine() -> None:
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert resolve_device("auto") == torch.device("cpu")


@pytest.fixture
def two_devices(monkeypatch: pytest.MonkeyPatch) -> list[torch.device]:
    """Two CUDA devices, pretended; the devices that became the current one."""
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr("wbtui.training.runtime._auto_precision", lambda *_: "fp32")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", torch.backends.cudnn.allow_tf32)
    return chosen


@pytest.mark.parametrize(
    ("name", "current"), [("cuda:1", [torch.device("cuda:1")]), ("cuda", []), ("auto", [])]
)
def test_the_device_of_a_run_is_the_current_one(
    name: str, current: list[torch.device], two_devices: list[torch.device]
) -> None:
    runtime = resolve_runtime(RunConfig(device=name, threads=torch.get_num_threads()), image_size=8)
    assert runtime.device == torch.device(name if name != "auto" else "cuda")
    assert two_devices == current


def test_a_device_that_is_not_there_is_refused(two_devices: list[torch.device]) -> None:
    with pytest.raises(UsageError, match=r"'cuda:2'.*sees 2 CUDA device\(s\); expected cpu or one of them"):
        resolve_device("cuda:2")


def test_devices_that_are_counted_and_cannot_be_used_are_refused_with_torchs_reason(
    two_devices: list[torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise RuntimeError(f"{OLD_DRIVER}\nmore lines")

    monkeypatch.setattr(torch.cuda, "init", refuse)
    with pytest.raises(
        UsageError, match=r"'cuda': .*2 CUDA device\(s\) and cannot use them: The NVIDIA driver"
    ):
        resolve_device("cuda")


def test_a_run_that_auto_puts_on_the_processor_beside_such_devices_says_so(
    two_devices: list[torch.device], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    settings = ("stages.0.epochs=1", "stages.0.schedule=cosine", "threads=1")
    alerts = []
    for device in ("auto", "cpu"):
        config = resolve("digits_lt", "ce", settings=(*settings, f"device={device}")).config
        folder = tmp_path / device
        folder.mkdir()
        (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
        with RunWriter.open(folder, 1) as writer:
            train(folder, writer, Monitor(folder, 1))
        events = map(json.loads, (folder / "events.jsonl").read_text("utf-8").splitlines())
        alerts.append([event["message"] for event in events if event["type"] == "alert"])
    assert len(alerts[0]) == 1
    assert "'auto' is the processor" in alerts[0][0]
    assert "2 CUDA device(s) and cannot use them" in alerts[0][0]
    assert alerts[1] == []


def test_they_are_refused_before_a_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe's torch, in its own process, is a stand-in that counts devices."""
    (tmp_path / "torch.py").write_text(
        "class cuda:\n"
        "    device_count = staticmethod(lambda: 2)\n"
        "    @staticmethod\n"
        f"    def init(): raise RuntimeError({OLD_DRIVER!r})\n"
        "__version__ = '9'\n",
        "utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"'cuda:1': torch 9 sees 2 CUDA device\(s\) .*driver.* too old"):
        check_device("cuda:1")
