"""How does a run that is followed look on a terminal? Two lines and a bar for each, drawn in place by rich."""

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from wbtui.cli.display import TRIED_AGAIN, accuracy_words, geometry_words
from wbtui.cli.progress import Standing
from wbtui.report.listing import STATE_STYLES
from wbtui.report.values import duration, figure
from wbtui.store.text import plain

_MOST = 6
"""Runs shown at once; of more, those at work."""


class LiveDisplay:
    """Redraws a few lines in place.

    Args:
        console: the terminal.
        hint: what Ctrl-C does, in words.
    """

    def __init__(self, console: Console, hint: str) -> None:
        self._console, self._hint = console, hint
        self._live = Live(console=console, refresh_per_second=4, transient=True, auto_refresh=False)
        self._live.start()

    def show(self, standings: Sequence[Standing]) -> None:
        """Draw where the runs stand now."""
        several = len(standings) > 1
        active = [one for one in standings if one.state.living] or list(standings)
        shown = active[:_MOST] if several else standings
        lines: list[RenderableType] = [_block(standing) for standing in shown]
        if several:
            over = sum(one.over for one in standings)
            waiting = sum(one.waits for one in standings)
            lines.insert(0, Rule(f"{over} of {len(standings)} ended, {waiting} waiting", style="dim"))
        lines.append(Text(self._hint, style="dim", no_wrap=True, overflow="ellipsis"))
        self._live.update(Group(*lines), refresh=True)

    def say(self, message: str) -> None:
        """Print above the lines and show it as the new hint."""
        self._hint = message
        self._live.console.print(Text(message, style="yellow"))

    def close(self) -> None:
        """Take the lines away; what was said above them stays."""
        self._live.stop()


def _block(standing: Standing) -> RenderableType:
    beat, total = standing.heartbeat, max(1, standing.labels.epochs)
    done = standing.epochs_done + standing.batch_share
    head = Text(no_wrap=True, overflow="ellipsis")
    head.append(standing.run.id.rsplit("-", 1)[-1], style="bold")
    head.append(f"  {standing.labels}  ")
    head.append(standing.state.name, style=STATE_STYLES[standing.state.name])
    if standing.state.name in ("stalled", "unknown"):
        head.append(f"  {standing.state.evidence}", style="dim")
    elif standing.state.name == "crashed" and standing.waits:
        head.append(f", {TRIED_AGAIN}", style="dim")
    elif beat is not None and beat.phase not in ("training", "ending"):
        head.append(f"  {beat.phase}", style="dim")
    if not standing.over:
        head.append(standing.labels.stage_words(standing.epochs_done + 1), style="dim")
    bar = Table.grid(padding=(0, 2), expand=True)
    for _ in range(5):
        bar.add_column(no_wrap=True, ratio=1 if _ == 1 else None)
    bar.add_row(
        f"epoch {standing.epochs_done}/{standing.labels.epochs}",
        ProgressBar(total=total, completed=min(done, total)),
        f"batch {beat.batch or 0}/{beat.batches}" if beat and beat.batches else "",
        f"{beat.images_per_second:,.0f} images/s" if beat and beat.images_per_second else "",
        f"ETA {duration(standing.seconds_left)}",
    )
    lines: list[RenderableType] = [head, bar]
    if standing.epoch is not None:
        scalars = standing.epoch.scalars
        loss = figure(scalars.get("running.loss"), 4)
        words = f"test  {accuracy_words(scalars)}  {geometry_words(scalars)}  loss {loss}"
        lines.append(Text(plain(words), no_wrap=True, overflow="ellipsis"))
    return Group(*lines)
