"""How does a process leave the terminal that started it, and tell its starter that it works?

The starter waits for a middle process, which lives until the one that stays says so or dies: no polling, no
zombie.
"""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from wbtui.store.errors import complain

Ready = Callable[[], None]


def detached(work: Callable[[Ready], int]) -> int:
    """Run `work` in a forked child that outlives this process.

    Args:
        work: gets a function to call once it is set up; its return value is the child's exit code.

    Returns:
        0 as soon as the child is ready, or the exit code of a child that never was. Only the parent returns.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _stay(work, writing)
    os.close(writing)
    ready = os.read(reading, 1)
    os.close(reading)
    return 0 if ready else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or 1


def _stay(work: Callable[[Ready], int], writing: int) -> NoReturn:
    def ready() -> None:
        # Ctrl-C may have killed who waits to hear it; what was started goes on.
        with contextlib.suppress(BrokenPipeError):
            os.write(writing, b"1")
        os.close(writing)

    code = 1
    try:
        code = work(ready)
    except BaseException:  # noqa: BLE001 - the child must end here, whatever happened in it
        complain(traceback.format_exc())
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os._exit(code)
