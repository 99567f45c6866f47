"""How is an array of a stranger's file read without executing it and without believing its size?"""

import ast
import io
import os
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import numpy.typing as npt

from wbtui.store import bounded
from wbtui.store.errors import StoreReadError
from wbtui.store.format import MAX_ARRAY
from wbtui.store.text import plain

_MAX_HEADER = 4096
_MAGIC = b"\x93NUMPY"
_KINDS = "biuf"  # booleans, integers, floats; never objects, strings, structures
_TEXT_KINDS = "US"
_MAX_MEMBERS = 64
_MAX_RATIO = 1100  # deflate cannot do better than 1032 : 1; what claims more lies

Scalar = TypeVar("Scalar", bound=np.generic)


class _RefusedError(Exception):
    """Why an array is not read."""


def _read_header(file: IO[bytes], *, text: bool = False) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    magic = file.read(8)
    if len(magic) < 8 or magic[:6] != _MAGIC or magic[6] not in (1, 2, 3):
        raise _RefusedError("not a .npy array")
    size_bytes = 2 if magic[6] == 1 else 4
    size = int.from_bytes(file.read(size_bytes), "little")
    if size > _MAX_HEADER:
        raise _RefusedError(f"a header of {size} bytes")
    written = file.read(size)
    if len(written) < size:
        raise _RefusedError("its header is cut off")
    try:
        header = ast.literal_eval(written.decode("latin1"))
        shape, order, name = header["shape"], header["fortran_order"], header["descr"]
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise _RefusedError("its header makes no sense") from None
    if (
        not isinstance(shape, tuple)
        or len(shape) > 4
        or not all(type(length) is int and 0 <= length < 2**48 for length in shape)
        or type(order) is not bool
        or not isinstance(name, str)
        or len(name) > 8
    ):
        raise _RefusedError("its header makes no sense, or its elements are no plain numbers")
    try:
        dtype = np.dtype(name)
    except (TypeError, ValueError):
        raise _RefusedError(f"elements of type {plain(name)!r}") from None
    if dtype.kind not in (_TEXT_KINDS if text else _KINDS):
        expected = "text" if text else "plain numbers"
        raise _RefusedError(f"elements of type {plain(name)!r}; expected {expected}")
    return shape, order, dtype


def _body_bytes(shape: tuple[int, ...], dtype: np.dtype[Any], limit: int) -> int:
    size = dtype.itemsize
    for length in shape:
        size *= length
    if size > limit:
        raise _RefusedError(f"{size} bytes; expected at most {limit}")
    return size


def _build(
    data: bytes | bytearray, shape: tuple[int, ...], order: bool, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    flat = np.frombuffer(data, dtype=dtype)
    array = flat.reshape(shape[::-1]).T if order else flat.reshape(shape)
    return np.ascontiguousarray(array.astype(dtype.newbyteorder("="), copy=False)).reshape(shape)


def read_npy(folder: Path, name: str, dtype: type[Scalar], dimensions: int) -> npt.NDArray[Scalar]:
    """A .npy file of a run folder; its header is held against the size of the file before anything is read.

    Args:
        folder: The run folder.
        name: The file, relative to it.
        dtype: The element type it must have.
        dimensions: How many it must have.

    Raises:
        StoreReadError: absent, truncated, larger than allowed, of another type or shape.
    """
    shown = bounded.shown(folder, name)
    try:
        with bounded.open_regular(folder, name) as raw, io.BufferedReader(raw) as file:
            shape, order, found = _read_header(file)
            size = _body_bytes(shape, found, MAX_ARRAY)
            left = os.fstat(file.fileno()).st_size - file.tell()
            if left != size:
                raise _RefusedError(f"its header says {size} bytes, the file has {left}")
            if found.newbyteorder("=") != np.dtype(dtype) or len(shape) != dimensions:
                raise _RefusedError(
                    f"{found} with {len(shape)} dimensions; expected {np.dtype(dtype)} with {dimensions}"
                )
            data = file.read(size)
            if len(data) != size:
                raise _RefusedError("it is cut off")
            return _build(data, shape, order, found)
    except FileNotFoundError:
        raise StoreReadError(f"{shown}: there is no such file") from None
    except _RefusedError as error:
        raise StoreReadError(f"{shown}: {error}") from None
    except OSError as error:
        raise StoreReadError(f"{shown}: cannot be read: {error.strerror}") from error


def read_rows(folder: Path, name: str, width: int, first: int, last: int) -> npt.NDArray[np.float32]:
    """Rows first ... last-1 of a .f32 file, as many of them as are there whole.

    Args:
        folder: The run folder.
        name: The file, relative to it.
        width: float32 values of a row.
        first: Number of the first row.
        last: One more than the number of the last row.

    Returns:
        (rows, width) float32.

    Raises:
        StoreReadError: absent although rows are expected, not readable, or more than MAX_ARRAY bytes.
    """
    row_bytes = 4 * width
    try:
        with bounded.open_regular(folder, name) as file:
            there = os.fstat(file.fileno()).st_size // row_bytes
            count = max(0, min(last, there) - first)
            if count * row_bytes > MAX_ARRAY:
                raise StoreReadError(
                    f"{bounded.shown(folder, name)}: {count} rows of {width}; expected fewer"
                )
            data = bytearray()
            while len(data) < count * row_bytes:
                piece = os.pread(
                    file.fileno(), min(count * row_bytes - len(data), 8 << 20), first * row_bytes + len(data)
                )
                if not piece:
                    break
                data += piece
    except FileNotFoundError:
        if last > first:
            raise StoreReadError(f"{bounded.shown(folder, name)}: there is no such file") from None
        return np.empty((0, width), dtype=np.float32)
    except OSError as error:
        raise StoreReadError(
            f"{bounded.shown(folder, name)}: cannot be read: {bounded.reason(error)}"
        ) from error
    whole = len(data) // row_bytes
    flat = np.frombuffer(data, dtype="<f4", count=whole * width)
    return flat.reshape(whole, width).astype(np.float32, copy=False)


def safe_arrays(path: Path, texts: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """The arrays of somebody's .npz archive, or the one of a .npy file under the name of that file.

    Plain numbers only, or text where that is expected, and no more than MAX_ARRAY bytes of them together. What a file
    claims is held against its own size before a byte is unpacked: a small one that claims terabytes is refused.

    Args:
        path: The file.
        texts: Names of the arrays that are of text.

    Raises:
        StoreReadError: a folder or another file, too large, broken, or something in it is no such array.
    """
    shown = bounded.shown(path)
    if path.is_dir():
        raise StoreReadError(
            f"{shown}: this is a folder; expected an .npz or .npy file, as numpy.savez and numpy.save write them"
        )
    try:
        with bounded.open_regular(path.parent, path.name) as raw, io.BufferedReader(raw) as file:
            size = os.fstat(file.fileno()).st_size
            if file.peek(len(_MAGIC))[: len(_MAGIC)] == _MAGIC:
                return {path.stem: _read_member(file, size, MAX_ARRAY, text=path.stem in texts)}
            with zipfile.ZipFile(file) as archive:
                return _read_archive(archive, size, texts)
    except FileNotFoundError:
        raise StoreReadError(f"{shown}: there is no such file") from None
    except _RefusedError as error:
        raise StoreReadError(f"{shown}: {error}") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        OSError,
    ) as error:
        raise StoreReadError(
            f"{shown}: not a readable .npz or .npy file (numpy.savez and numpy.save write them): {plain(str(error))}"
        ) from error


def _read_archive(archive: zipfile.ZipFile, size: int, texts: Collection[str]) -> dict[str, npt.NDArray[Any]]:
    found: dict[str, npt.NDArray[Any]] = {}
    left = MAX_ARRAY
    members = archive.infolist()
    if len(members) > _MAX_MEMBERS:
        raise _RefusedError(f"{len(members)} arrays; expected at most {_MAX_MEMBERS}")
    for member in members:
        if not bounded.safe_relative(member.filename) or not member.filename.endswith(".npy"):
            raise _RefusedError(f"{plain(member.filename)!r} is no name of an array")
        if member.file_size > max(1 << 16, _MAX_RATIO * size):
            raise _RefusedError(f"{plain(member.filename)} claims {member.file_size} bytes")
        name = member.filename[: -len(".npy")]
        with archive.open(member) as packed:
            try:
                array = _read_member(packed, member.file_size, left, text=name in texts)
            except _RefusedError as error:
                raise _RefusedError(f"{plain(name)}: {error}") from None
        left -= array.nbytes
        found[name] = array
    return found


def _read_member(packed: IO[bytes], size: int, limit: int, *, text: bool) -> npt.NDArray[Any]:
    header_start = packed.tell()
    shape, order, dtype = _read_header(packed, text=text)
    body = _body_bytes(shape, dtype, limit)
    if size - (packed.tell() - header_start) != body:
        raise _RefusedError(f"an array of {size} bytes whose header says {body}")
    data = bytearray()
    while len(data) < body and (piece := packed.read(min(body - len(data), 8 << 20))):
        data += piece
    if len(data) != body or packed.read(1):
        raise _RefusedError("an array that is cut off")
    return _build(data, shape, order, dtype)
