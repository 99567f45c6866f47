"""Is a checkpoint that cannot be written blamed on what failed: the disk, or the device that holds the tensors?"""

from pathlib import Path

import pytest
import torch

from wbtui.store.errors import StoreWriteError
from wbtui.training.checkpoint import save_tensors

DEVICE = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
DISK = RuntimeError(
    "[enforce fail at inline_container.cc:858] . PytorchStreamWriter failed writing file data/0"
)


@pytest.mark.parametrize(("error", "told"), [(DISK, StoreWriteError), (DEVICE, torch.AcceleratorError)])
def test_a_refused_write_may_be_tried_again_and_a_broken_device_may_not(
    error: Exception, told: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    path = tmp_path / "checkpoint.pt"
    save_tensors(path, {"epoch": 1})
    earlier = path.read_bytes()
    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(told, match=r"illegal memory|No space left"):
        save_tensors(path, {"epoch": 2})
    assert path.read_bytes() == earlier
    assert list(tmp_path.iterdir()) == [path]
