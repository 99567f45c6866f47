"""What stands where no run is yet: how to make the first."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.widgets import Static

from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain
from wbtui.tui.actions import ACTIONS

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp


class Welcome(Static):
    """Says which key trains on the data that comes with the package."""

    DEFAULT_CSS = """
    Welcome { display: none; width: 100%; height: 1fr; content-align: center middle; padding: 1 4; }
    """

    def on_mount(self) -> None:
        """Write it with the keys as they are bound."""
        app = cast("WbtuiApp", self.app)
        keys = {action.id: app.keys.shown(action) for action in ACTIONS}
        if app.readonly:
            self.update(Text(f"There are no runs in {app.runs}."))
            return
        text = Text(justify="center")
        text.append("No runs here yet.\n\n", style="bold")
        text.append(f" {keys['runs.start']} ", style="bold reverse")
        text.append(
            "  and then enter trains ResNet-8 with weight decay on\n"
            "8x8 digits in a long-tailed profile: inside the package,\n"
            "nothing to download, less than a minute on one core.\n\n"
        )
        text.append(f" {keys['app.help_keys']} ", style="bold reverse")
        text.append("  what else can be done        ")
        text.append(f" {keys['app.leave']} ", style="bold reverse")
        text.append("  quit\n\n")
        text.append(plain(f"wbtui run --preset digits_lt{runs_words(app.runs)}"), style="bold")
        text.append("  does the same without this screen.")
        self.update(text)
