"""In which configuration keys do runs differ?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from wbtui.report.values import counted
from wbtui.store.errors import StoreReadError
from wbtui.store.reader import open_run
from wbtui.store.summary import RunSummary
from wbtui.tui.files import leaves
from wbtui.tui.ink import fitted
from wbtui.tui.screens.dialogs import PageOfText

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp

_MISSING = "-"


def show_difference(app: "WbtuiApp", rows: Sequence[RunSummary]) -> None:
    """Read the configurations in a thread, then show where they differ."""
    if len(rows) < 2:
        app.say(
            "a difference needs two runs: pin (p) or select (space) another, or set a baseline (b)", "warning"
        )
        return

    def work() -> None:
        configs: dict[str, Mapping[str, str]] = {}
        for row in rows:
            try:
                configs[app.short(row.id)] = dict(leaves(open_run(Path(row.path)).config))
            except StoreReadError as error:
                app.say_from_thread(str(error), "error")
                return
        page = PageOfText(
            "Differences of configuration", difference_text(configs, PageOfText.room(app.size.width))
        )
        app.call_from_thread(app.push_screen, page)

    app.run_worker(work, thread=True, group="difference", exclusive=True)


def difference_text(configs: Mapping[str, Mapping[str, str]], width: int) -> Text:
    """Only the keys whose values differ, a column a run; where columns do not fit beside each other, blocks of them.

    Args:
        configs: Run → dotted key → value.
        width: Cells of a line.
    """
    keys = sorted({key for config in configs.values() for key in config})
    differing = [key for key in keys if len({config.get(key) for config in configs.values()}) > 1]
    text = Text()
    if not differing:
        text.append("The configurations are the same.")
        return text
    first = max(map(cell_len, differing)) + 2
    cells = {
        name: max(cell_len(name), *(cell_len(config.get(key, _MISSING)) for key in differing))
        for name, config in configs.items()
    }
    each = {name: min(size, 28) + 2 for name, size in cells.items()}
    for names in _blocks(each, width - first):
        text.append(" " * first)
        for name in names:
            text.append(fitted(name, each[name]), style="bold")
        for key in differing:
            text.append("\n" + fitted(key, first))
            for name in names:
                value = configs[name].get(key, _MISSING)
                text.append(fitted(fitted(value, each[name] - 2).rstrip(), each[name]))
        text.append("\n\n")
    same = len(keys) - len(differing)
    text.append(f"{counted(same, 'key')} {'is' if same == 1 else 'are'} the same.", style="dim")
    return text


def _blocks(each: Mapping[str, int], room: int) -> list[list[str]]:
    """Names in their order, as many to a block as have room there, at least one."""
    blocks: list[list[str]] = [[]]
    for name, size in each.items():
        if blocks[-1] and sum(each[one] for one in blocks[-1]) + size > room:
            blocks.append([])
        blocks[-1].append(name)
    return blocks
