"""How is a line appended in one write(), so that a full disk leaves no half line in the way?"""

import os
from pathlib import Path
from typing import BinaryIO

from wbtui.store.errors import StoreWriteError


def open_output(path: Path) -> BinaryIO:
    """Open what the output of a child process is appended to; made if missing.

    Raises:
        StoreWriteError: it cannot be, or is a link: somebody else's run could lead us astray.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        return os.fdopen(handle, "ab")
    except OSError as error:
        raise StoreWriteError(path, error) from error


class LineWriter:
    """Appends lines to one file, which it keeps open.

    After a StoreWriteError the line does not count as written and may be appended again: the file is opened
    anew, and where half a line was left a newline is put first, so that readers skip just that half.

    Args:
        path: The file; made if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle = -1
        self._open()

    def _open(self) -> None:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            self._handle = os.open(self.path, flags, 0o666)
            size = os.fstat(self._handle).st_size
            self._torn = size > 0 and os.pread(self._handle, 1, size - 1) != b"\n"
        except OSError as error:
            self.close()
            raise StoreWriteError(self.path, error) from error

    @property
    def removed(self) -> bool:
        """Whether the file was deleted, so that what is appended would go nowhere."""
        return self._handle >= 0 and os.fstat(self._handle).st_nlink == 0

    @property
    def size(self) -> int:
        """Bytes of the file; 0 while it is closed."""
        return os.fstat(self._handle).st_size if self._handle >= 0 else 0

    def append(self, line: bytes) -> None:
        """Append a line, without its newline, in one write().

        Raises:
            StoreWriteError: disk full, folder gone.
        """
        if self._handle < 0:
            self._open()
        data = (b"\n" if self._torn else b"") + line + b"\n"
        try:
            while data:  # once, but for a disk that fills up: the second write then says so
                data = data[os.write(self._handle, data) :]
        except OSError as error:
            self.close()
            raise StoreWriteError(self.path, error) from error
        self._torn = False

    def sync(self) -> None:
        """Bring it to the disk."""
        try:
            if self._handle >= 0:
                os.fsync(self._handle)
        except OSError as error:
            raise StoreWriteError(self.path, error) from error

    def close(self) -> None:
        """Close the file; a later append opens it again."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
