"""Are torchvision's sets found, fetched only with permission, and every failure one message?

torchvision checks the md5 of CIFAR's files, so what it unpickles cannot be forged small; here its classes are
replaced at their boundary, and torchvision itself is only imported.
"""

import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from wbtui.config import DataConfig
from wbtui.data import fetch, torchvision_import
from wbtui.data.available import available, planned_splits
from wbtui.data.longtail import load
from wbtui.data.sources import torchvision_sets
from wbtui.errors import UsageError
from wbtui.launch.environment import child_environment

_IDX_FILES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}


def _sized(path: Path, nbytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(nbytes)


def _put_mnist(root: Path) -> None:
    for name, nbytes in _IDX_FILES.items():
        _sized(root / "MNIST/raw" / name, nbytes)


def _config(root: Path, source: str = "mnist") -> DataConfig:
    return DataConfig(source=source, root=str(root))  # type: ignore[arg-type]


class FakeMnist:
    """What torchvision.datasets.MNIST is to its callers, with 30 images of each class."""

    classes = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    resources = (("train-images-idx3-ubyte.gz", "right"),)
    opened: list[dict[str, Any]] = []  # noqa: RUF012 - cleared by the fixture

    def __init__(self, **arguments: Any) -> None:
        self.opened.append(arguments)
        if arguments["download"]:
            _put_mnist(Path(arguments["root"]))
        n = 300 if arguments["train"] else 20
        self.data = torch.arange(n, dtype=torch.uint8)[:, None, None].expand(n, 28, 28)
        self.targets = torch.arange(n) % 10


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeMnist]:
    FakeMnist.opened.clear()
    modules = {
        "datasets": SimpleNamespace(MNIST=FakeMnist, CIFAR10=FakeMnist),
        "datasets.utils": SimpleNamespace(check_integrity=lambda path, md5: False),
    }
    monkeypatch.setattr(torchvision_import, "torchvision_module", modules.__getitem__)
    return FakeMnist


def test_files_that_are_there_are_read_without_download(tmp_path: Path, fake: type[FakeMnist]) -> None:
    _put_mnist(tmp_path)
    config = _config(tmp_path).model_copy(update={"imbalance_factor": 2.0, "images_per_class": 30})
    data = load(config)
    assert data.train_counts.tolist() == [10, 9, 9, 8, 7, 7, 6, 6, 5, 5]
    assert data.train_images[:12, 0, 0, 0].tolist() == list(range(12))
    assert data.class_names[3] == "three"
    assert [call["download"] for call in fake.opened] == [False, False]


def test_missing_files_are_named_with_their_folder_and_the_flag(tmp_path: Path) -> None:
    found = available(_config(tmp_path))
    assert not found.ready
    assert found.downloadable
    assert found.missing[0] == tmp_path / "MNIST/raw/train-images-idx3-ubyte.gz"
    for said in (str(tmp_path), "t10k-labels-idx1-ubyte.gz", "--download", "--data-root", "12 MB"):
        assert said in found.problem
    with pytest.raises(UsageError, match="--download"):
        load(_config(tmp_path))


def test_a_file_in_place_of_the_folder_is_said_with_what_reads_an_npz(tmp_path: Path) -> None:
    root = tmp_path / "cifar.npz"
    root.touch()
    found = available(DataConfig(source="cifar10", root=str(root)))
    assert f"{root} is a file" in found.problem
    assert "--set data.source=npz" in found.problem
    assert not found.downloadable


def test_more_test_images_than_a_set_has_are_refused_before_it_is_read(tmp_path: Path) -> None:
    for source, fewest in (("cifar10", 1000), ("cifar100", 100), ("mnist", 892), ("fashion_mnist", 1000)):
        config = _config(tmp_path, source)
        assert planned_splits(config.model_copy(update={"test_per_class": fewest})) is not None
        with pytest.raises(UsageError, match=f"of {source} has {fewest} test images"):
            planned_splits(config.model_copy(update={"test_per_class": fewest + 1}))


def test_an_incomplete_file_counts_as_missing(tmp_path: Path) -> None:
    _put_mnist(tmp_path)
    assert available(_config(tmp_path)).ready
    _sized(tmp_path / "MNIST/raw/train-labels-idx1-ubyte", 60_000)
    assert not available(_config(tmp_path)).ready


def test_a_set_that_was_fetched_is_read_without_another_download(
    tmp_path: Path, fake: type[FakeMnist]
) -> None:
    _sized(tmp_path / "MNIST/raw/train-labels-idx1-ubyte", 60_000)  # torn: must not pass for the whole
    config = _config(tmp_path).model_copy(update={"imbalance_factor": 2.0, "images_per_class": 30})
    assert fetch.main(["mnist", "--root", str(tmp_path)]) == 0
    load(config)
    assert [call["download"] for call in fake.opened] == [True, False, False]


def test_damaged_archives_are_not_replaced_without_permission(tmp_path: Path, fake: type[FakeMnist]) -> None:
    """torchvision would download what fails its md5; of archives alone only the size has been looked at."""
    for name, nbytes in torchvision_sets._SETS["mnist"].archives.items():
        _sized(tmp_path / name, nbytes)
    FakeMnist.resources = tuple((f"{name}.gz", "right") for name in _IDX_FILES)
    assert available(_config(tmp_path)).ready
    with pytest.raises(UsageError, match=r"train-images-idx3-ubyte.gz is damaged.*--download"):
        load(_config(tmp_path))
    assert fake.opened == []


def test_a_download_that_is_broken_off_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        fetching = subprocess.Popen(
            [sys.executable, "-m", "wbtui.data.fetch", "mnist", "--root", str(tmp_path)],
            env=child_environment() | {"https_proxy": address, "http_proxy": address, "no_proxy": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        waiting, _ = proxy.accept()  # it downloads
        with waiting:
            fetching.send_signal(signal.SIGINT)
            assert fetching.communicate() == (b"", b"")
    assert fetching.returncode == -signal.SIGINT


def test_a_failed_download_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def offline(**_: Any) -> None:
        raise RuntimeError("Error downloading\n  <urlopen error no network>")

    modules = {"datasets": SimpleNamespace(MNIST=offline)}
    monkeypatch.setattr(torchvision_import, "torchvision_module", modules.__getitem__)
    assert fetch.main(["mnist", "--root", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "could not be downloaded" in said
    assert "no network" in said
    assert str(tmp_path) in said


def test_damaged_files_are_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(**_: Any) -> None:
        raise AssertionError

    _put_mnist(tmp_path)
    modules = {"datasets": SimpleNamespace(MNIST=damaged)}
    monkeypatch.setattr(torchvision_import, "torchvision_module", modules.__getitem__)
    with pytest.raises(UsageError, match=r"mnist cannot be read from .*AssertionError.*delete"):
        load(_config(tmp_path))


def test_class_sizes_are_known_without_the_files(tmp_path: Path) -> None:
    plan = planned_splits(_config(tmp_path, "cifar100"))
    assert plan is not None
    assert sum(plan.train_counts) == 10_457
    assert sum(available(_config(tmp_path)).per_class) == 60_000


def test_the_cache_is_where_an_empty_root_points(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    assert torchvision_sets.root_folder(DataConfig(source="mnist")) == tmp_path / "wbtui" / "datasets"


def test_cifar_comes_channels_last_and_is_turned(tmp_path: Path) -> None:
    pixels = np.arange(4 * 32 * 32 * 3).astype(np.uint8).reshape(4, 32, 32, 3)
    dataset = SimpleNamespace(data=pixels, targets=[0, 1, 2, 3])
    images, labels = torchvision_sets._arrays(dataset, torchvision_sets._SETS["cifar10"])
    np.testing.assert_array_equal(images, pixels.transpose(0, 3, 1, 2))
    assert labels.tolist() == [0, 1, 2, 3]


def test_torchvision_imports_beside_this_torch_and_its_sets_and_nets_work() -> None:
    """In a process of its own, because a failed import leaves its traces in a process."""
    program = (
        "import torch; from wbtui.data.torchvision_import import torchvision_module as module;"
        "print(module('datasets').MNIST.__name__, module('datasets').CIFAR100.tgz_md5);"
        "net = module('models').resnet18(num_classes=7).eval();"
        "print(tuple(net(torch.zeros(1, 3, 64, 64)).shape))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["MNIST", "eb9058c3a382ffc7106e4002c42a8d85", "(1,", "7)"]


def _importer(monkeypatch: pytest.MonkeyPatch, *outcomes: Exception | ModuleType) -> list[str]:
    """Importing torchvision has these outcomes, in turn; returns what the mend did."""
    left, done = list(outcomes), []

    def import_module(name: str) -> ModuleType:
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(torchvision_import.importlib, "import_module", import_module)
    monkeypatch.setattr(torchvision_import, "_declared", [])
    monkeypatch.setattr(torchvision_import, "_declare_operators", lambda: done.append("mended"))
    return done


def test_the_mend_is_tried_only_after_the_plain_import_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("datasets")
    mended = _importer(monkeypatch, module)
    assert torchvision_import.torchvision_module("datasets") is module
    assert mended == []
    mended = _importer(monkeypatch, RuntimeError("operator torchvision::nms does not exist"), module)
    assert torchvision_import.torchvision_module("datasets") is module
    assert mended == ["mended"]


def test_an_absent_or_unfit_torchvision_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    _importer(monkeypatch, ModuleNotFoundError("No module named 'torchvision'"))
    with pytest.raises(UsageError, match="pip install torchvision"):
        torchvision_import.torchvision_module("datasets")
    _importer(monkeypatch, RuntimeError("something else"))
    with pytest.raises(UsageError, match="does not fit torch"):
        torchvision_import.torchvision_module("datasets")
    _importer(monkeypatch, RuntimeError("torchvision::nms"), AttributeError("extension"))
    with pytest.raises(UsageError, match="does not fit torch"):
        torchvision_import.torchvision_module("datasets")
