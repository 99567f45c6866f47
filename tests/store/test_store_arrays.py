"""Is a stranger's array refused before it can cost memory or run code?"""

import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import Make

from wbtui.store.arrays import read_npy, read_rows, safe_arrays
from wbtui.store.errors import StoreReadError
from wbtui.store.reader import open_run


def npy(array: np.ndarray, **how: bool) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **how)
    return buffer.getvalue()


def header(text: str, body: bytes = b"") -> bytes:
    data = text.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(data)) + data + body


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch exploded",)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_an_honest_array_is_read(tmp_path: Path, order: str, dtype: str) -> None:
    array = np.asarray(np.arange(12).reshape(3, 4), dtype=dtype, order=order)  # type: ignore[call-overload]
    (tmp_path / "a.npy").write_bytes(npy(array))
    found = read_npy(tmp_path, "a.npy", np.float32, 2)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (npy(np.array([Bomb()], dtype=object), allow_pickle=True), "plain numbers"),
        (pickle.dumps(Bomb()), "not a .npy"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 4), }"), "bytes"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4), }", b"\0" * 8), "the file has 8"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4), }"), "makes no sense"),
        (header("{'descr': '<f4', 'fortran_order': False, 'shape': (True, 4), }"), "makes no sense"),
        (header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 4), }"), "plain numbers"),
        (header("{'descr': '|V8', 'fortran_order': False, 'shape': (1, 4), }"), "expected plain numbers"),
        (header("__import__('os').system('touch exploded')"), "makes no sense"),
        (header("(" * 3000), "makes no sense"),
        (npy(np.zeros((2, 2), np.float64)), "expected float32 with 2"),
        (npy(np.zeros(4, np.float32)), "expected float32 with 2"),
        (b"", "not a .npy"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "a header of"),
    ],
)
def test_what_is_no_plain_array_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(StoreReadError, match=why):
        read_npy(tmp_path, "a.npy", np.float32, 2)
    assert not Path("exploded").exists()


def test_an_array_cut_at_any_byte_is_refused(tmp_path: Path) -> None:
    data = npy(np.arange(6, dtype=np.float32).reshape(2, 3))
    for length in range(len(data)):
        (tmp_path / "a.npy").write_bytes(data[:length])
        with pytest.raises(StoreReadError):
            read_npy(tmp_path, "a.npy", np.float32, 2)


@given(st.binary(max_size=200), st.integers(0, 150))
def test_any_bytes_are_an_array_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("npy")
    honest = npy(np.arange(6, dtype=np.float32).reshape(2, 3))
    for content in (data, honest[:at] + data + honest[at + len(data) :]):
        (folder / "a.npy").write_bytes(content)
        try:
            found = read_npy(folder, "a.npy", np.float32, 2)
        except StoreReadError:
            continue
        assert found.dtype == np.float32


def test_an_archive_of_plain_arrays_is_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((50, 8), np.uint8), y=np.arange(50))
    found = safe_arrays(tmp_path / "a.npz")
    assert set(found) == {"x", "y"}
    np.testing.assert_array_equal(found["y"], np.arange(50))


def test_the_arrays_of_a_file_are_limited_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.store.arrays.MAX_ARRAY", 100)
    x, fits, too_long = (npy(np.zeros(n, np.uint8)) for n in (96, 4, 5))
    assert len(safe_arrays(zipped(tmp_path / "a.npz", {"x.npy": x, "z.npy": fits}))) == 2
    with pytest.raises(StoreReadError, match="z: 5 bytes; expected at most 4"):
        safe_arrays(zipped(tmp_path / "b.npz", {"x.npy": x, "z.npy": too_long}))
    (tmp_path / "c.npy").write_bytes(npy(np.zeros(101, np.uint8)))
    with pytest.raises(StoreReadError, match="101 bytes; expected at most 100"):
        safe_arrays(tmp_path / "c.npy")


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_small_archive_that_claims_terabytes_is_refused(tmp_path: Path) -> None:
    claim = header("{'descr': '<f4', 'fortran_order': False, 'shape': (2500000000000,), }", b"\0" * 8_000_000)
    path = zipped(tmp_path / "bomb.npz", {"x.npy": claim})
    assert path.stat().st_size < 10_000
    with pytest.raises(StoreReadError, match="10000000000000 bytes"):
        safe_arrays(path)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    data[at : at + 4] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(data)
    with pytest.raises(StoreReadError):
        safe_arrays(path)


@pytest.mark.parametrize("name", ["../x.npy", "/etc/x.npy", "a/../x.npy", "x.txt", "x\x1b.npy", "..\\x.npy"])
def test_a_member_with_a_strange_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreReadError, match="no name of an array"):
        safe_arrays(zipped(tmp_path / "a.npz", {name: npy(np.zeros(3))}))


def test_an_archive_with_an_object_or_too_many_members_is_refused(tmp_path: Path) -> None:
    evil = npy(np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(StoreReadError, match="plain numbers"):
        safe_arrays(zipped(tmp_path / "a.npz", {"x.npy": evil}))
    with pytest.raises(StoreReadError, match="at most 64"):
        safe_arrays(zipped(tmp_path / "b.npz", {f"x{n}.npy": npy(np.zeros(1)) for n in range(65)}))
    assert not Path("exploded").exists()


@given(st.integers(0, 400), st.binary(min_size=1, max_size=30))
def test_a_damaged_archive_is_read_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes
) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    np.savez_compressed(path, x=np.arange(30), y=np.zeros((2, 3), np.float32))
    data = path.read_bytes()
    at %= len(data)
    for content in (data[:at], data[:at] + damage + data[at + len(damage) :], damage):
        path.write_bytes(content)
        try:
            safe_arrays(path)
        except StoreReadError:
            continue


def test_a_missing_archive_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreReadError, match="no such file"):
        safe_arrays(tmp_path / "a.npz")


def test_rows_are_as_many_as_are_there_whole(tmp_path: Path) -> None:
    (tmp_path / "a.f32").write_bytes(np.arange(10, dtype="<f4").tobytes() + b"\0\0")
    assert read_rows(tmp_path, "a.f32", 4, 0, 99).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert read_rows(tmp_path, "a.f32", 4, 1, 2).tolist() == [[4, 5, 6, 7]]
    assert read_rows(tmp_path, "a.f32", 4, 5, 6).shape == (0, 4)
    assert read_rows(tmp_path, "none.f32", 4, 0, 0).shape == (0, 4)


def test_series_cut_at_any_byte_give_their_whole_rows(make_run: Make) -> None:
    folder = make_run()
    path = folder / "series" / "test.accuracy@class.f32"
    data = path.read_bytes()
    run = open_run(folder)
    for length in range(len(data), -1, -1):
        os.truncate(path, length)
        assert len(run.series("test.accuracy@class").values) == length // 16


def test_a_sparse_giant_is_refused_without_reading_it(make_run: Make) -> None:
    folder = make_run()
    events = (folder / "events.jsonl").read_bytes().splitlines()
    wide = events[-2].replace(b'"epoch":6', b'"epoch":900000')
    events = [line.replace(b'"names":["a","b","c","d"]', b'"names":[]') for line in events]
    lines = [line.replace(b'"width":4', b'"width":1000000') for line in events] + [wide]
    (folder / "events.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    os.truncate(folder / "series" / "test.accuracy@class.f32", 8 << 40)
    with pytest.raises(StoreReadError, match="expected fewer"):
        open_run(folder).series("test.accuracy@class")
    with pytest.raises(StoreReadError, match="cut off"):
        open_run(folder).matrix("test.cosine", 4)


def test_a_single_array_is_read_under_the_name_of_its_file(tmp_path: Path) -> None:
    np.save(tmp_path / "labels.npy", np.arange(5))
    np.testing.assert_array_equal(safe_arrays(tmp_path / "labels.npy")["labels"], np.arange(5))
    data = (tmp_path / "labels.npy").read_bytes()
    for content in (data[:-1], data + b"x"):
        (tmp_path / "labels.npy").write_bytes(content)
        with pytest.raises(StoreReadError, match=r"labels\.npy: an array of \d+ bytes whose header says 40"):
            safe_arrays(tmp_path / "labels.npy")


def test_text_is_read_only_where_it_is_expected(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", words=np.array(["ape", "bee"]), x=np.arange(2))
    found = safe_arrays(tmp_path / "a.npz", texts=("words",))
    assert found["words"].tolist() == ["ape", "bee"]
    with pytest.raises(StoreReadError, match="words: elements of type '<U3'; expected plain numbers"):
        safe_arrays(tmp_path / "a.npz")
    with pytest.raises(StoreReadError, match="x: elements of type '<i8'; expected text"):
        safe_arrays(tmp_path / "a.npz", texts=("words", "x"))
