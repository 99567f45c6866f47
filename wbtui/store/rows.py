"""How are float32 rows written so that row r stands at byte r * row_bytes?"""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError


class RowFile:
    """One open file of float32 rows; every method raises StoreWriteError and may then be called again.

    Args:
        path: The file; made if missing, and its folder with it.
        width: float32 values of a row.
    """

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self._width = width
        atomic.make_folder(path.parent)
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
            self._rows = os.fstat(self._handle).st_size // (4 * width)
        except OSError as error:
            raise StoreWriteError(path, error) from error

    def write(self, row: int, values: npt.ArrayLike | None) -> None:
        """Write row number `row` (0 is the first); rows missing before it, and `values` of None, become NaN.

        Args:
            row: Its number.
            values: `width` numbers.
        """
        block = np.full((max(0, row - self._rows) + 1, self._width), np.nan, dtype="<f4")
        if values is not None:
            with np.errstate(over="ignore"):
                block[-1] = np.asarray(values, dtype=np.float32).reshape(-1)
            block[np.isnan(block)] = np.nan  # one NaN bit pattern: equal runs give equal bytes
        first = row + 1 - len(block)
        try:
            _write_all(self._handle, block.tobytes(), first * 4 * self._width)
        except OSError as error:
            raise StoreWriteError(self.path, error) from error
        self._rows = max(self._rows, row + 1)

    def truncate(self, rows: int) -> None:
        """Keep at most the first `rows` rows."""
        try:
            if self._rows > rows or os.fstat(self._handle).st_size > rows * 4 * self._width:
                os.ftruncate(self._handle, min(rows, self._rows) * 4 * self._width)
        except OSError as error:
            raise StoreWriteError(self.path, error) from error
        self._rows = min(rows, self._rows)

    def sync(self) -> None:
        """Bring it to the disk."""
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise StoreWriteError(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _write_all(handle: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(handle, view, offset)
        view, offset = view[written:], offset + written
