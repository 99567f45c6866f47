"""What can go wrong with a run folder, and who is to blame?"""

import contextlib
import errno
import os
import sys
from pathlib import Path

from wbtui.errors import UsageError


class StoreReadError(UsageError):
    """A file of a run folder is missing, broken, too large or not what it claims; the message says why."""


class StoreWriteError(Exception):
    """A file of a run folder could not be written (disk full, folder gone, no permission).

    Nothing that was written before is harmed and the same call may be repeated.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        self.path = path
        self.errno = cause.errno
        reason = os.strerror(cause.errno) if cause.errno else str(cause)
        super().__init__(f"{path}: cannot write: {reason}")

    @property
    def disk_full(self) -> bool:
        """Whether space (or quota) is what is missing."""
        return self.errno in (errno.ENOSPC, errno.EDQUOT)


def complain(message: str) -> None:
    """Say what went wrong to stderr, which is a log: a full disk may refuse that too, and must not end the process."""
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr, flush=True)
