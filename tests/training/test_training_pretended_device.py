"""A whole run on a device: nothing of the host is mixed in, and no step waits for it.

The device is pretended: tensors on it compute on the processor, but torch takes them for tensors of another device. So
whatever CUDA would refuse (an index, a mean, a checkpoint left on the host) is refused here, and every time that the
host asks for values is counted. What CUDA's kernels themselves do no CPU can tell.
"""

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from tests.training.whole_runs import CPU, epochs, results, run
from wbtui.training.trainer import StopRequested

DEVICE = torch.device("meta")
"""Tensors of this name are torch's own placeholders without values; here they have some."""


class MixedError(Exception):
    """An operation got tensors of the host beside those of the device."""


class OnDevice(Tensor):
    """What torch takes for a tensor of the device; its values stand in a tensor of the host."""

    held: Tensor

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]  # as torch's own subclasses

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnDevice":
        made: OnDevice = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]  # not in torch's stubs
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        made.held = held
        return made

    @classmethod
    def __torch_dispatch__(
        cls, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        raise AssertionError(
            f"{function}: the device is not there"
        )  # the mode below sees every operation first


class PretendedDevice(TorchDispatchMode):
    """While it is entered there is the device, and `waits` counts how often the host asked it for values."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        name = function.overloadpacket.__name__
        given = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        ours = any(isinstance(tensor, OnDevice) for tensor in given)
        stays = ours if kwargs.get("device") is None else kwargs["device"] == DEVICE
        if ours and (name == "_local_scalar_dense" or not stays):
            self.waits[name] += 1
        elif ours and name not in ("copy_", "_to_copy"):
            for tensor in given:
                # A number of the host may stand beside tensors of a device: it travels with the launch.
                if not isinstance(tensor, OnDevice) and tensor.dim():
                    raise MixedError(f"{name}: a tensor {tuple(tensor.shape)} of the host")
        if kwargs.get("device") == DEVICE:
            kwargs["device"] = CPU
        made = function(*tree_map(_held, args), **tree_map(_held, kwargs))
        known = {id(tensor.held): tensor for tensor in given if isinstance(tensor, OnDevice)}
        return tree_map(lambda leaf: _placed(leaf, known), made) if stays else made


def _held(leaf: Any) -> Any:
    return leaf.held if isinstance(leaf, OnDevice) else leaf


def _placed(leaf: Any, known: dict[int, OnDevice]) -> Any:
    """A result on the device; an argument that was changed in place stays the tensor that it was."""
    if not isinstance(leaf, Tensor):
        return leaf
    return known[id(leaf)] if id(leaf) in known else OnDevice(leaf)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendedDevice]:
    """The device, with those corners of torch that ask for its name."""
    optimizers = sys.modules["torch.optim.optimizer"]  # torch.optim takes the name away
    monkeypatch.setattr(optimizers, "_get_fused_kernels_supported_devices", lambda: ["cpu", DEVICE.type])
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # off under fp32
    save = torch.save
    monkeypatch.setattr(torch, "save", lambda payload, file: save(tree_map(_held, payload), file))
    with PretendedDevice() as pretended:
        yield pretended


RUNS: dict[str, tuple[str, ...]] = {
    "wb": (),
    "wd_etf": ("model.etf_init=class_means", "evaluation.tta=flip"),
    "wd_fr_etf": ("evaluation.selection=best_validation",),
    "ldam_drw": ("stages.0.loss.reweight_from=0.5",),
    "lws": (),
    "crt": ("stages.1.features=cached",),
}


@pytest.mark.parametrize(
    ("variant", "engine"),
    zip(RUNS, ["eager", "graphs", "graphs", "eager", "eager", "graphs"], strict=True),
)
def test_a_run_on_a_device_is_the_run_on_the_processor(
    variant: str, engine: str, device: PretendedDevice, tmp_path: Path
) -> None:
    settings = (*RUNS[variant], "stages.0.epochs=2")
    expected = run(tmp_path / "host", "eager", *settings, variant=variant)
    assert not device.waits
    found = run(tmp_path / "device", engine, *settings, variant=variant, device=DEVICE)
    assert results(found) == results(expected)
    for one, other in zip(epochs(found), epochs(expected), strict=True):
        # A copy to the host is laid out anew, so that the last bit of a product of matrices may differ.
        assert one == pytest.approx(other, rel=1e-12, nan_ok=True)


# torch takes loading onto placeholders for an error; ours hold values.
@pytest.mark.filterwarnings("ignore:for .* copying from a non-meta parameter:UserWarning")
def test_a_run_on_a_device_resumes_inside_an_epoch(device: PretendedDevice, tmp_path: Path) -> None:
    expected = run(tmp_path / "host", "eager")
    folder = tmp_path / "device"
    with pytest.raises(StopRequested, match="enough"):
        run(folder, "graphs", stop_after=23, device=DEVICE)
    run(folder, "graphs", device=DEVICE)
    assert results(folder) == results(expected)


def waits(device: PretendedDevice, folder: Path, batch_size: int) -> Counter[str]:
    device.waits.clear()
    settings = (f"stages.0.batch_size={batch_size}", "checkpoint.every_seconds=1000")
    run(folder, "graphs", *settings, variant="wd", device=DEVICE)
    return device.waits.copy()


def test_the_host_waits_for_a_device_as_often_however_many_steps_an_epoch_has(
    device: PretendedDevice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        "wbtui.training.keeper.CHEAP_CHECKPOINT", 0.0
    )  # they go by the clock, each with all weights
    many, few = (waits(device, tmp_path / str(size), size) for size in (16, 64))
    assert many == few
    assert few.total() > 0


def indexes_from_the_host(weight: Tensor) -> Tensor:
    return weight[torch.zeros(2, dtype=torch.int64)]


def adds_from_the_host(weight: Tensor) -> Tensor:
    return weight + torch.ones(2, 3)


@pytest.mark.parametrize("mixing", [indexes_from_the_host, adds_from_the_host])
def test_what_mixes_host_and_device_is_found(
    mixing: Callable[[Tensor], Tensor], device: PretendedDevice
) -> None:
    weight = torch.ones(2, 3, device=DEVICE)
    with pytest.raises(MixedError, match="of the host"):
        mixing(weight)


def test_values_asked_of_the_device_are_counted(device: PretendedDevice) -> None:
    weight = torch.ones(2, 3).to(DEVICE)
    assert weight.sum().item() == 6
    assert weight.cpu().tolist() == [[1, 1, 1], [1, 1, 1]]
    assert device.waits == {"_local_scalar_dense": 1, "_to_copy": 1}
