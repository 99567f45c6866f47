"""In which configuration keys do runs differ?"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

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
        page = PageOfText("Differences of configuration", difference_text(configs))
        app.call_from_thread(app.push_screen, page)

    app.run_worker(work, thread=True, group="difference", exclusive=True)


def difference_text(configs: Mapping[str, Mapping[str, str]]) -> Text:
    """Only the keys whose values differ, a column a run."""
    keys = sorted({key for config in configs.values() for key in config})
    differing = [key for key in keys if len({config.get(key) for config in configs.values()}) > 1]
    text = Text()
    if not differing:
        text.append("The configurations are the same.")
        return text
    width = max(map(cell_len, differing)) + 2
    cells = {
        name: max(cell_len(name), *(cell_len(config.get(key, _MISSING)) for key in differing))
        for name, config in configs.items()
    }
    each = {name: min(size, 28) + 2 for name, size in cells.items()}
    text.append(" " * width)
    for name in configs:
        text.append(fitted(name, each[name]), style="bold")
    for key in differing:
        text.append("\n" + fitted(key, width))
        for name, config in configs.items():
            text.append(fitted(fitted(config.get(key, _MISSING), each[name] - 2).rstrip(), each[name]))
    text.append(f"\n\n{len(keys) - len(differing)} keys are the same.", style="dim")
    return text
