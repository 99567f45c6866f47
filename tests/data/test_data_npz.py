"""Is a user's .npz read in every layout, and refused with one message where it is wrong, torn or hostile?"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wbtui.config import DataConfig
from wbtui.data.available import available, planned_splits
from wbtui.data.longtail import load
from wbtui.data.sources import npz
from wbtui.errors import UsageError


def _arrays(size: int = 6) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "x_train": rng.integers(0, 256, (30, size, size, 3), dtype=np.uint8),
        "y_train": np.arange(30) % 3,
        "x_test": rng.integers(0, 256, (6, size, size, 3), dtype=np.uint8),
        "y_test": np.arange(6) % 3,
    }


def _config(path: Path, **changed: Any) -> DataConfig:
    return DataConfig(
        source="npz",
        root=str(path),
        **({"imbalance_factor": 2.0, "validation_per_class": 2} | changed),
    )


def _saved(path: Path, **changed: Any) -> DataConfig:
    arrays = {key: value for key, value in (_arrays() | changed).items() if value is not None}
    np.savez(path / "set.npz", **arrays)
    return _config(path / "set.npz")


def _refused(config: DataConfig, message: str) -> None:
    """Both doors refuse: before a run is made, and when it loads."""
    assert not available(config).ready
    with pytest.raises(UsageError, match=message):
        npz.read(config)


def test_an_npz_becomes_a_long_tail_with_its_class_names(tmp_path: Path) -> None:
    names = np.array(["dog", "cat", "a\x1b[31mowl"])
    config = _saved(tmp_path, class_names=names, train_index=np.arange(30))
    data = load(config)
    assert data.class_names == ("dog", "cat", "a?[31mowl")
    assert data.train_counts.tolist() == [8, 6, 4]
    assert (data.channels, data.image_size, data.classes) == (3, 6, 3)
    expected = np.concatenate([np.flatnonzero(np.arange(30) % 3 == k)[:n] for k, n in enumerate([8, 6, 4])])
    pixels = _arrays()["x_train"][np.sort(expected)].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(data.train_images.numpy(), pixels)


def test_channels_first_grey_and_fortran_order_are_understood(tmp_path: Path) -> None:
    plain = npz.read(_saved(tmp_path))
    first = {key: _arrays()[key].transpose(0, 3, 1, 2) for key in ("x_train", "x_test")}
    np.testing.assert_array_equal(npz.read(_saved(tmp_path, **first)).train_images, plain.train_images)
    fortran = {key: np.asfortranarray(_arrays()[key]) for key in ("x_train", "x_test")}
    np.testing.assert_array_equal(npz.read(_saved(tmp_path, **fortran)).train_images, plain.train_images)
    grey = {key: _arrays()[key][..., 0] for key in ("x_train", "x_test")}
    np.testing.assert_array_equal(npz.read(_saved(tmp_path, **grey)).train_images, plain.train_images[:, :1])


def test_what_is_available_is_known_from_headers_and_labels(tmp_path: Path) -> None:
    found = available(_saved(tmp_path))
    assert found.ready
    assert (found.per_class, found.channels, found.image_size) == ((10, 10, 10), 3, 6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    config = _config(tmp_path / "absent.npz")
    assert available(config).missing == (tmp_path / "absent.npz",)
    _refused(config, "absent.npz: no such file")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_test": None}, "no array 'y_test', only x_train, y_train, x_test"),
        ({"x_train": np.zeros((30, 6, 6, 3))}, "x_train is float64.*expected square uint8"),
        ({"x_train": np.zeros((30, 6, 5, 3), np.uint8)}, "expected square uint8"),
        ({"x_train": np.zeros((30, 36), np.uint8)}, "expected square uint8"),
        ({"x_train": np.zeros((29, 6, 6, 3), np.uint8)}, "29 images, y_train 30 labels"),
        ({"x_test": np.zeros((6, 8, 8, 3), np.uint8)}, "x_train has 3 channels of side 6, x_test 3 of 8"),
        ({"x_train": np.zeros((0, 6, 6, 3), np.uint8)}, "x_train is empty"),
        ({"y_train": np.arange(30) % 3 + 1}, "class 0 has no image in y_train.*they begin at 1: subtract it"),
        (
            {"y_train": np.arange(30) % 2 * 2},
            "class 1 has no image in y_train; expected ids 0..C-1, each of them taken$",
        ),
        (
            {"y_train": np.eye(3)[np.arange(30) % 3]},
            "y_train is float64 .30, 3.; expected .N,. whole numbers",
        ),
        ({"y_train": np.arange(30) % 3 - 1}, "class ids from -1 to 1"),
        ({"y_train": np.arange(30) % 3 + 2**40}, "class ids from 1099511627776"),
        ({"y_train": np.arange(30) / 3}, "expected .N,. whole numbers"),
        ({"y_train": np.array([object()] * 30)}, "pickled Python objects, which are never loaded"),
        ({"y_test": np.arange(6) % 4}, "y_test has class 3, y_train ends at 2"),
        ({"y_test": np.arange(6) + 2**40}, "y_test has class 1099511627781, y_train ends at 2"),
        ({"y_test": np.full(6, 2**64 - 1, np.uint64)}, "y_test has class 18446744073709551615"),
        ({"y_test": np.arange(6) % 3 - 1}, "y_test has class ids from -1 to 1; expected 0..C-1"),
        ({"class_names": np.array(["a", "b"])}, "one for each of 3 classes"),
        ({"class_names": np.array([1, 2, 3])}, "expected text"),
        ({"class_names": np.array(["a", "b", None])}, "pickled Python objects"),
    ],
)
def test_wrong_arrays_are_refused_before_a_run_is_made(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    _refused(_saved(tmp_path, **changed), message)


@pytest.mark.parametrize(
    ("changed", "asked", "message"),
    [
        ({"y_test": np.arange(6) % 2}, {}, "class 2.* of npz has 0 test images; expected at least one"),
        (
            {},
            {"test_per_class": 3},
            "class 0.* of npz has 2 test images, data.test_per_class = 3 asks for more",
        ),
        (
            {},
            {"mean": (0.5,), "std": (0.2,)},
            "data.mean has 1 channels, the images of npz have 3; .*data.mean=.. and",
        ),
        (
            {},
            {"images_per_class": 12, "split_rule": "full", "imbalance_factor": 1},
            "class 0.* 10 images, 12 to train.*smaller data.images_per_class .0: what",
        ),
        (
            {},
            {"profile": "natural", "validation_per_class": 10},
            "class 0.* 10 images, 1 to train and 10 to validate.*expected a smaller data.validation_per_class$",
        ),
    ],
)
def test_what_the_splits_lack_is_told_before_a_run_is_made(
    tmp_path: Path, changed: dict[str, Any], asked: dict[str, Any], message: str
) -> None:
    """By the labels and headers alone, and in the words of who reads it all."""
    config = _config(Path(_saved(tmp_path, **changed).root), **asked)
    for door in (planned_splits, load):
        with pytest.raises(UsageError, match=message):
            door(config)


def test_few_test_images_may_be_of_many_classes(tmp_path: Path) -> None:
    config = _saved(tmp_path, x_test=_arrays()["x_test"][:1], y_test=np.array([2]))
    assert available(config).test_per_class == (0, 0, 1)


def test_byte_names_are_read_as_text(tmp_path: Path) -> None:
    assert npz.read(_saved(tmp_path, class_names=np.array([b"a", b"b", b"\xff"]))).class_names == (
        "a",
        "b",
        "�",
    )


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(b"not a zip file at all")
    _refused(_config(path), "not a .npz file")


def test_a_torn_file_is_refused(tmp_path: Path) -> None:
    config = _saved(tmp_path)
    path = Path(config.root)
    path.write_bytes(path.read_bytes()[:-300])
    _refused(config, "not a .npz file, or an incomplete one")


def _with_header(path: Path, shape: tuple[int, ...], body: bytes) -> DataConfig:
    """A file whose x_train claims `shape` and holds `body`."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x_train.npy", header.getvalue() + body)
        for key in ("y_train", "x_test", "y_test"):
            with file.open(f"{key}.npy", "w") as stream:
                np.lib.format.write_array(stream, _arrays()[key])
    return _config(path / "bomb.npz")


def test_a_header_that_claims_terabytes_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    config = _with_header(tmp_path, (10**9, 64, 64, 3), bytes(100))
    assert Path(config.root).stat().st_size < 10_000
    _refused(config, r"x_train claims 12,288,000,000,1\d\d bytes")


def test_a_member_size_that_no_compression_reaches_is_refused(tmp_path: Path) -> None:
    """The archive's directory lies together with the header: 3 TB in a few hundred bytes."""
    shape = (10**6, 1024, 1024, 3)
    config = _with_header(tmp_path, shape, bytes(100))
    path = Path(config.root)
    with zipfile.ZipFile(path) as file:
        info = file.getinfo("x_train.npy")
    claimed = info.file_size - 100 + int(np.prod(shape))
    raw = bytearray(path.read_bytes())
    entry = raw.index(b"PK\x01\x02")  # the first entry of the directory
    name = entry + 46 + len("x_train.npy")
    zip64 = b"\x01\x00\x08\x00" + claimed.to_bytes(8, "little")
    raw[entry + 24 : entry + 28] = b"\xff\xff\xff\xff"
    raw[entry + 30 : entry + 32] = len(zip64).to_bytes(2, "little")
    raw[name:name] = zip64
    end = raw.index(b"PK\x05\x06")
    directory = int.from_bytes(raw[end + 12 : end + 16], "little") + len(zip64)
    raw[end + 12 : end + 16] = directory.to_bytes(4, "little")
    path.write_bytes(raw)
    _refused(config, "more than can be")


def test_an_array_larger_than_the_free_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _saved(tmp_path)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("Memory", (), {"available": 2000}))
    with pytest.raises(UsageError, match="GiB are free"):
        npz.read(config)


@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255), compressed=st.booleans())
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_gives_the_same_data_or_one_message(
    tmp_path: Path, place: float, byte: int, compressed: bool
) -> None:
    path = tmp_path / "fuzz.npz"
    (np.savez_compressed if compressed else np.savez)(path, **_arrays(size=3))
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] = byte
    path.write_bytes(raw)
    try:
        source = npz.read(_config(path))
    except UsageError:
        return
    assert source.train_images.shape == (30, 3, 3, 3)
    np.testing.assert_array_equal(source.train_images, _arrays(size=3)["x_train"].transpose(0, 3, 1, 2))
