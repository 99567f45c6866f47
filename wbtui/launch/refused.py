"""Why is a run not started, stopped or resumed as somebody asked, and what can be done instead?"""

import enum
import shlex
from pathlib import Path

from wbtui.errors import UsageError
from wbtui.store.format import CONFIG
from wbtui.store.ids import run_words
from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain


class Advice(enum.Enum):
    """What can be done instead, in the words of commands; the dashboard says it by its keys."""

    ADJUST = "`wbtui adjust {run}` re-scores them"
    ASK = "without --now and --kill it is asked to stop"
    ATTACH = "`wbtui attach {run}` follows it"
    BEGIN_AGAIN = "`wbtui run --config {config}{runs}` begins again in a folder of its own"
    REPEAT = "`wbtui run --config {config}{runs}` repeats it"
    START_QUEUE = "`wbtui queue start{runs}` starts it"
    TAKE_OUT = "`wbtui queue remove {run}` takes it out"

    def commands(self, folder: Path) -> str:
        """The words for a run, to be typed as they stand."""
        config = plain(shlex.quote(str(folder / CONFIG)))
        return self.value.format(run=run_words(folder), config=config, runs=plain(runs_words(folder.parent)))


class RefusedError(UsageError):
    """A run is not started, stopped or resumed as somebody asked.

    Args:
        folder: the run folder.
        why: the reason, in words.
        advice: what can be done instead, where there is something.
    """

    def __init__(self, folder: Path, why: str, advice: Advice | None = None) -> None:
        super().__init__(f"{folder.name}: {why}" + (f"; {advice.commands(folder)}" if advice else ""))
        self.why, self.advice = why, advice


class AlreadyAtWorkError(RefusedError):
    """A waiter or trainer works on the run already."""
