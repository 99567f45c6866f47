"""How does `wbtui stop` look while it climbs from asking to killing, under several runs at once?"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from wbtui.cli.main import DONE, FAILED, USAGE
from wbtui.errors import UsageError
from wbtui.launch.stop import Ladder, Rung, check_stop
from wbtui.store.reader import open_run

_LOOK_SECONDS = 0.2
_WORDS = {
    Rung.ASK: "asked to finish its batch and save; SIGTERM",
    Rung.TERMINATE: "SIGTERM sent; SIGKILL",
    Rung.KILL: "SIGKILL sent; giving up",
}


def climb(folders: Sequence[Path], first: Rung) -> int:
    """Stop runs, with a countdown to each next rung.

    Returns:
        0: all have ended; 1: one lives on; 2: one could not be stopped at all.
    """
    code, ladders = DONE, []
    for folder in folders:
        try:
            check_stop(folder, first)
            ladders.append(Ladder(folder, first, by="wbtui stop"))
        except UsageError as error:  # the others are stopped
            print(f"wbtui: {error}", file=sys.stderr)
            code = USAGE
    countdown = _Countdown(sys.stdout.isatty())
    while ladders:
        for ladder in list(ladders):
            try:
                ladder.tick()
                if not ladder.over:
                    continue
                state = open_run(ladder.folder).state()
            except UsageError as error:  # the others go on
                countdown.clear()
                print(f"wbtui: {error}", file=sys.stderr)
                code = USAGE
            else:
                countdown.clear()
                print(f"{ladder.folder.name}: {state.name} ({state.evidence})", flush=True)
                code = code if ladder.dead else FAILED
            ladders.remove(ladder)
        countdown.show(ladders)
        time.sleep(_LOOK_SECONDS if ladders else 0)
    return code


class _Countdown:
    """One line, drawn in place on a terminal; elsewhere a line for each rung of each run."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._said: set[tuple[Path, Rung]] = set()

    def show(self, ladders: Sequence[Ladder]) -> None:
        """Say how long each run still has."""
        if self._terminal and ladders:
            first = min(ladders, key=lambda ladder: ladder.seconds_left)
            more = f" (and {len(ladders) - 1} more)" if len(ladders) > 1 else ""
            print(f"\r\x1b[2K{_words(first)}{more}", end="", flush=True)
            return
        for ladder in ladders:
            if (ladder.folder, ladder.rung) not in self._said:
                self._said.add((ladder.folder, ladder.rung))
                print(_words(ladder), flush=True)

    def clear(self) -> None:
        """Make room for a line that stays."""
        if self._terminal:
            print("\r\x1b[2K", end="")


def _words(ladder: Ladder) -> str:
    name = ladder.folder.name.rsplit("-", 1)[-1]
    return f"{name}: {_WORDS[ladder.rung]} in {ladder.seconds_left:.0f} s"
