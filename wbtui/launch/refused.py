"""Why is a run not started, stopped or resumed as somebody asked, and what can be done instead?"""

import enum
from pathlib import Path

from wbtui.errors import UsageError


class Advice(enum.Enum):
    """What can be done instead, in the words of commands; the dashboard says it by its keys."""

    ADJUST = "`wbtui adjust` re-scores them"
    ASK = "without --now and --kill it is asked to stop"
    ATTACH = "`wbtui attach` follows it"
    BEGIN_AGAIN = "`wbtui run --config` on its config.toml begins again in a folder of its own"
    REPEAT = "`wbtui run --config` on its config.toml repeats it"
    START_QUEUE = "`wbtui queue start` starts it"
    TAKE_OUT = "`wbtui queue remove` takes it out"


class RefusedError(UsageError):
    """A run is not started, stopped or resumed as somebody asked.

    Args:
        folder: the run folder.
        why: the reason, in words.
        advice: what can be done instead, where there is something.
    """

    def __init__(self, folder: Path, why: str, advice: Advice | None = None) -> None:
        super().__init__(f"{folder.name}: {why}" + (f"; {advice.value}" if advice else ""))
        self.why, self.advice = why, advice


class AlreadyAtWorkError(RefusedError):
    """A waiter or trainer works on the run already."""
