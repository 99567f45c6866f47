"""How is a small file written so that a reader sees the old one or the new one, never half?"""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

from wbtui.store import jsonio
from wbtui.store.errors import StoreWriteError

_TEMPORARY = re.compile(r"\.(.+)\.[a-z0-9_]{8}\.tmp")
"""What `replacing` calls its temporary file."""


@contextlib.contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[BinaryIO]:
    """Yield a temporary file that takes the place of `path` in one step when the block ends well.

    Args:
        path: The file; its folder must exist.
        durable: Whether it must survive a power cut; a heartbeat need not.

    Raises:
        StoreWriteError: the old file, if any, is untouched.
    """
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            with contextlib.suppress(OSError):  # some mounts (CIFS, Windows drives under WSL) know no modes
                os.fchmod(file.fileno(), 0o666 & ~_UMASK)
            if durable:
                os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = ""
    except OSError as error:
        raise StoreWriteError(path, error) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def discard_unfinished(folder: Path, names: Collection[str] = ()) -> None:
    """Delete what writers that were killed left of files in a folder; a folder that is a link is left alone.

    Args:
        folder: The folder.
        names: The files; nobody may be writing them now. None named: all in the folder.
    """
    with contextlib.suppress(OSError):  # it takes room, no more
        if folder.is_symlink():
            return
        for path in folder.iterdir():
            unfinished = _TEMPORARY.fullmatch(path.name)
            if unfinished and (not names or unfinished[1] in names):
                path.unlink()


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `data`; see `replacing`."""
    with replacing(path, durable=durable) as file:
        file.write(data)


def make_folder(path: Path) -> None:
    """Make a folder inside a run folder, if it is not there.

    Raises:
        StoreWriteError: it cannot be made, or is a symbolic link: somebody else's run could lead us astray.
    """
    try:
        path.mkdir(exist_ok=True)
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link")
    except OSError as error:
        raise StoreWriteError(path, error) from error


def write_json(path: Path, value: object, *, durable: bool = True) -> None:
    """Replace `path` by `value` as JSON; see `write_bytes`."""
    write_bytes(path, jsonio.encode(value) + b"\n", durable=durable)


def _current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_UMASK = _current_umask()  # mkstemp makes private files; a colleague may read runs where the umask says so
