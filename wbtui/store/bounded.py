"""How is a file of a stranger's folder opened: a plain file, no link, no larger than allowed?"""

import errno
import os
import stat
import tomllib
from io import FileIO
from pathlib import Path
from typing import Any

from wbtui.store import jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.format import MAX_SMALL_FILE
from wbtui.store.text import plain

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a named pipe must not block


def safe_relative(name: str) -> bool:
    """Whether `name` is a relative path of plain parts: no `..`, no root, no control character."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") and part.isprintable() and "\\" not in part for part in parts)


def open_regular(folder: Path, name: str) -> FileIO:
    """Open `folder/name` for reading; links below `folder` are not followed.

    Raises:
        FileNotFoundError: it is not there.
        StoreReadError: it is a link, no plain file, or cannot be read.
    """
    if not safe_relative(name):
        raise StoreReadError(f"{shown(folder)}: {plain(name)!r} is no name of a file in a run folder")
    *folders, last = name.split("/")
    try:
        at = _open_folder(folder, folders)
        try:
            handle = os.open(last, _FILE_FLAGS, dir_fd=at)
        finally:
            os.close(at)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise StoreReadError(f"{shown(folder, name)}: cannot be read: {reason(error)}") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise StoreReadError(f"{shown(folder, name)}: not a plain file")
    return FileIO(handle, "rb")


def _open_folder(folder: Path, below: list[str]) -> int:
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in below:
        try:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=at)
        finally:
            os.close(at)
        at = inner
    return at


def names(folder: Path, below: str) -> list[str]:
    """Names in a folder below a run folder, sorted; none where it is missing.

    Raises:
        StoreReadError: it is a link, no folder, or cannot be read.
    """
    try:
        at = _open_folder(folder, below.split("/"))
        try:
            with os.scandir(at) as entries:
                return sorted(entry.name for entry in entries)
        finally:
            os.close(at)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreReadError(f"{shown(folder, below)}: cannot be read: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Why something cannot be read, in words."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return "a symbolic link, which is not followed"
    return (error.strerror if isinstance(error, OSError) else "") or str(error)


def shown(folder: Path, name: str = "") -> str:
    """A path as it may be printed."""
    return plain(str(folder / name))


def read_bytes(folder: Path, name: str, limit: int = MAX_SMALL_FILE) -> bytes:
    """All of a small file.

    Raises:
        FileNotFoundError: it is not there.
        StoreReadError: too large or not readable.
    """
    with open_regular(folder, name) as file:
        there = os.fstat(file.fileno()).st_size
        if there > limit:
            raise StoreReadError(f"{shown(folder, name)}: {there} bytes; expected at most {limit}")
        try:
            chunks, left = [], limit
            while left > 0 and (chunk := file.read(min(left, 1 << 20))):
                chunks.append(chunk)
                left -= len(chunk)
        except OSError as error:
            raise StoreReadError(f"{shown(folder, name)}: cannot be read: {reason(error)}") from error
    return b"".join(chunks)


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file that holds an object.

    Raises:
        FileNotFoundError: it is not there.
        StoreReadError: no JSON object, too large, nested too deep.
    """
    data = read_bytes(folder, name)
    try:
        value = jsonio.decode(data)
    except ValueError as error:
        raise StoreReadError(f"{shown(folder, name)}: not JSON: {plain(str(error))}") from error
    if not isinstance(value, dict):
        raise StoreReadError(f"{shown(folder, name)}: expected a JSON object, found {type(value).__name__}")
    return value


def read_toml(folder: Path, name: str) -> dict[str, Any]:
    """A TOML file.

    Raises:
        FileNotFoundError: it is not there.
        StoreReadError: no TOML, too large, nested too deep.
    """
    data = read_bytes(folder, name)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise StoreReadError(f"{shown(folder, name)}: not TOML: {plain(str(error))}") from error
