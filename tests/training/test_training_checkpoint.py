"""Does a checkpoint that cannot be written say what really stood in the way?"""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from wbtui.metrics import mean_present
from wbtui.store.errors import StoreWriteError
from wbtui.store.tally import BEST_BY, Tally
from wbtui.training.checkpoint import Best, save_tensors

HALF_WAY = "[enforce fail at inline_container.cc:672] . unexpected pos 704 vs 598"


@pytest.mark.parametrize("half_way", [False, True])
@pytest.mark.parametrize("kind", [RuntimeError, torch.AcceleratorError])
def test_a_device_that_fails_while_a_checkpoint_is_written_is_no_full_disk(
    kind: type[RuntimeError], half_way: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*_: object) -> None:
        try:
            raise kind("CUDA error: device-side assert triggered")
        except RuntimeError:
            if half_way:  # torch's writer, as it is closed
                raise RuntimeError(HALF_WAY)  # noqa: B904
            raise

    path = tmp_path / "checkpoint.pt"
    save_tensors(path, {"epoch": 1})
    earlier = path.read_bytes()
    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(RuntimeError, match="device-side assert"):
        save_tensors(path, {"epoch": 2})
    assert path.read_bytes() == earlier
    assert list(tmp_path.iterdir()) == [path]


LIMITED = """
import resource, sys, torch
from pathlib import Path
from wbtui.store.errors import StoreWriteError
from wbtui.training.checkpoint import save_tensors
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    save_tensors(Path(sys.argv[1]), {"weights": torch.zeros(100_000)})
except StoreWriteError as error:
    sys.exit(error.errno)
"""


def test_what_the_disk_refuses_is_told_as_the_disk_said_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], check=False)
    assert done.returncode == errno.EFBIG
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_that_torch_hides_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*_: object) -> None:
        raise RuntimeError(HALF_WAY)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(StoreWriteError, match=os.strerror(errno.ENOSPC)):
        save_tensors(tmp_path / "checkpoint.pt", {})


def test_of_epochs_with_as_many_hits_the_first_is_the_best_however_they_lie_among_the_classes() -> None:
    hits = np.array([[3, 6, 17, 20, 1], [1, 3, 6, 17, 20], [20, 17, 6, 3, 1], [20, 17, 6, 3, 2]])
    values = [mean_present(row / 20) for row in hits]
    assert len({*values[:3]}) > 1  # rounding alone
    best, tally = Best(), Tally()
    for epoch, value in enumerate(values[:3], 1):
        assert best.offer(epoch, value) == (epoch == 1)
        tally.add(epoch, 0, {BEST_BY: value})
    assert best.epoch == tally.best_epoch == 1
    assert best.offer(4, values[3])
