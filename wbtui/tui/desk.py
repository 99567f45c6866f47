"""Who does what takes longer than a frame? One thread that always takes up what it was asked last."""

import threading
from collections.abc import Callable
from typing import TypeVar

from wbtui.errors import UsageError
from wbtui.store.errors import StoreWriteError
from wbtui.store.text import plain

Answer = TypeVar("Answer")
Post = Callable[..., object]
"""How an answer gets to the screen: `post(function, *arguments)` calls it in the screen's own thread."""


class Desk:
    """Does jobs in a thread of its own, the first asked first; a job that still waits is replaced by one of its kind.

    Args:
        name: Of the thread.
        post: See `Post`; Textual's `call_later` does it.
        say: Called, through `post`, with what went wrong in a job.
    """

    def __init__(self, name: str, post: Post, say: Callable[[str], object]) -> None:
        self._post, self._say = post, say
        self._jobs: dict[str, Callable[[], None]] = {}
        self._changed = threading.Condition()
        self._open = True
        self._at_work = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def ask(self, kind: str, job: Callable[[], Answer], done: Callable[[Answer], object]) -> None:
        """Do this soon and hand the answer to `done`, in the screen's thread.

        Args:
            kind: A job of this kind that has not been begun is forgotten.
            job: What to do; a `UsageError` or a failure to write is said, and there is no answer.
            done: Gets the answer.
        """

        def work() -> None:
            self._post(done, job())

        with self._changed:
            self._jobs.pop(kind, None)
            self._jobs[kind] = work
            self._changed.notify()

    @property
    def busy(self) -> bool:
        """Whether something is being done or waits."""
        with self._changed:
            return self._at_work or bool(self._jobs)

    def close(self) -> None:
        """Forget what waits; what is being done comes to its end, its answer to nobody."""
        with self._changed:
            self._open = False
            self._jobs.clear()
            self._changed.notify()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except (UsageError, StoreWriteError, OSError) as error:
                self._post(self._say, str(error))
            except Exception as error:  # noqa: BLE001  a thread that dies in silence would leave the screen waiting
                self._post(self._say, f"this went wrong: {plain(repr(error))}")

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._at_work = False
            self._changed.wait_for(lambda: self._jobs or not self._open)
            if not self._open:
                return None
            self._at_work = True
            return self._jobs.pop(next(iter(self._jobs)))
