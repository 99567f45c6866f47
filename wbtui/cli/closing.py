"""What is said when a run has ended: its figures by split, where they are, and what to type next?"""

import sys
from collections.abc import Mapping, Sequence
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wbtui.cli.display import stages_in_words
from wbtui.cli.progress import Standing
from wbtui.report.figures import GROUP_TITLES, figures_of
from wbtui.report.values import figure, percent
from wbtui.store.format import CHECKPOINT
from wbtui.store.ids import run_ids, short_ids
from wbtui.store.runs_folder import runs_words
from wbtui.store.setting import setting_digest
from wbtui.store.text import plain

_SPLITS = ("test", "validation", "train")
_ERROR_LINES = 15
_ROOMY = 100  # cells from which columns stand two apart
_NARROW = 60  # cells below which a split's figures stand without any beside them
_COMPARED = 12  # runs that a line to type next can name
_NEXT = {
    "finished": (("show", "its curves and figures"), ("adjust", "re-score it with logit adjustment")),
    "stopped": (("resume", "go on from its checkpoint"),),
    "failed": (("resume", "try again from its last checkpoint"),),
    "crashed": (("resume", "try again from its last checkpoint"),),
    "unknown": (("attach", "look again"),),
}
_GOES_ON = (("attach", "follow it again"), ("stop", "end it"))
_WAITS = (("attach", "follow it again"), ("queue remove", "take it out of the queue"))


def close(standings: Sequence[Standing], quiet: bool = False) -> None:
    """Print the end of one or several followed runs; failures go to stderr.

    Args:
        standings: where the runs stood at last.
        quiet: only failures.
    """
    console = Console(highlight=False, soft_wrap=True)
    for one in standings:
        if one.state.name in ("failed", "crashed", "unknown") and not one.waits:
            _complain(one)
    if quiet:
        return
    if len(standings) == 1:
        _report(console, standings[0])
    else:
        _report_together(console, standings)


def _complain(standing: Standing) -> None:
    result = standing.result
    name = standing.run.id.rsplit("-", 1)[-1]
    error = plain(result.error, lines=True).strip().splitlines()[-_ERROR_LINES:] if result else []
    reason = plain(result.reason) if result else standing.state.evidence
    lines = error if error[-1:] == [reason] else [*error, reason]
    print(*lines, sep="\n", file=sys.stderr)
    print(
        f"wbtui: run {name} {standing.state.name}; its log: {standing.run.path / 'output.log'}",
        file=sys.stderr,
    )


def _report(console: Console, standing: Standing) -> None:
    name, labels = standing.state.name, standing.labels
    last, best, best_epoch = _last_and_best(standing)
    console.print(
        Text(f"\n{labels.id}  {name} after {standing.epochs_done}/{labels.epochs} epochs", style="bold")
    )
    if labels.stages:
        console.print(Text(f"{labels}  ({stages_in_words(labels.stages)})"))
    for split in _SPLITS:
        if f"{split}.accuracy.all" in last:
            console.print(_table(split, last, best, best_epoch, beside=1 if console.width >= _NARROW else 0))
    console.print(Text(f"folder  {standing.run.path}"))
    short = _short_ids([standing])[standing.run.id]
    for command, why in _WAITS if standing.waits else _NEXT.get(name, _GOES_ON):
        if command == "resume" and not (standing.run.path / CHECKPOINT).is_file():
            why = "from the start; there is no checkpoint"
        console.print(
            Text(f"next    wbtui {command} {short}{runs_words(standing.run.path.parent)}   ({why})")
        )


def _report_together(console: Console, standings: Sequence[Standing]) -> None:
    short = _short_ids(standings)
    presets = {one.labels.preset for one in standings}
    alike = presets.pop() if len(presets) == 1 else ""  # said once
    table = Table(
        title=plain(f"{alike} test".strip()),
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1 if console.width >= _ROOMY else 0, 0, 0),
    )
    for title in ("run", "method", "seed", "state", "epoch"):
        justify: Literal["right", "left"] = "right" if title == "seed" else "left"
        table.add_column(title, no_wrap=title != "method", justify=justify, overflow="fold")
    for title in (*GROUP_TITLES.values(), "Loss", "FDR"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in standings:
        labels = one.labels
        method = (labels.preset if not alike else "", labels.variant, labels.name, labels.apart)
        words = (
            short[one.run.id],
            plain(" ".join(filter(None, method))),
            str(labels.seed),
            one.state.name,
        )
        figures = _cells("test", _figures(one))
        table.add_row(*map(Text, words), f"{one.epochs_done}/{labels.epochs}", *figures)
    console.print()
    console.print(table)
    runs = standings[0].run.path.parent
    console.print(Text(f"folder  {runs}"))
    waits = any(one.waits for one in standings)
    finished = [one.run for one in standings if one.state.name == "finished"]
    following = [("ls", "all runs")]
    if waits:
        following.append(("queue", "what still waits"))
    if len(finished) <= _COMPARED and len({setting_digest(run) for run in finished}) > 1:
        names = " ".join(short[run.id] for run in finished)
        following.append((f"compare {names}", "side by side, seeds folded"))
    if finished:
        following.append(("report", "the papers' table of all finished runs"))
    for command, why in following:
        console.print(Text(f"next    wbtui {command}{runs_words(runs)}   ({why})"))


def _short_ids(standings: Sequence[Standing]) -> dict[str, str]:
    """What each run of the folder is called, these among them, wherever they are meanwhile."""
    return short_ids([*run_ids(standings[0].run.path.parent), *(one.run.id for one in standings)])


def _figures(standing: Standing) -> Mapping[str, float]:
    """The final figures, of whichever weights predict; of a run that has none, those of its last epoch."""
    result = standing.result
    return result.final if result is not None and result.final else _last_epoch(standing)


def _last_epoch(standing: Standing) -> Mapping[str, float]:
    return standing.epoch.scalars if standing.epoch else {}


def _last_and_best(standing: Standing) -> tuple[Mapping[str, float], Mapping[str, float], int | None]:
    """Figures of the last weights, and of those that validation prefers with their epoch: final are either's."""
    result, final = standing.result, _figures(standing)
    if result is None or not result.final:
        return final, {}, None
    if figures_of(standing.run).weights == "best_validation":
        return _last_epoch(standing), final, result.best_epoch
    return final, result.best or {}, result.best_epoch


def _table(
    split: str, last: Mapping[str, float], best: Mapping[str, float], best_epoch: int | None, beside: int
) -> Table:
    table = Table(
        title=split,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=(0, beside),
    )
    table.add_column("")
    for title in GROUP_TITLES.values():
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("Loss", "FDR"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_row("last", *_cells(split, last))
    if best_epoch is not None and f"{split}.accuracy.all" in best:
        table.add_row(f"epoch {best_epoch} (best on val.)", *_cells(split, best))
    return table


def _cells(split: str, figures: Mapping[str, float]) -> list[str]:
    accuracies = [percent(figures.get(f"{split}.accuracy.{group}")) for group in GROUP_TITLES]
    return [*accuracies, figure(figures.get(f"{split}.loss")), figure(figures.get(f"{split}.fdr"))]
