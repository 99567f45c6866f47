"""What can be done here, and by which key?"""

from rich.text import Text

from wbtui.tui.actions import actions_of
from wbtui.tui.keymap import Keymap, display, keymap_file
from wbtui.tui.screens.dialogs import PageOfText


def help_page(screen: str, keys: Keymap, *, readonly: bool) -> PageOfText:
    """The keys of a screen, and how they are changed."""
    text = Text()
    for name in (screen, "app") if screen != "app" else ("app",):
        text.append(f"{'Everywhere' if name == 'app' else 'Here'}\n", style="bold underline")
        for action in actions_of(name):
            if action.writes and readonly:
                continue
            text.append(f"{display(','.join(keys.keys_of(action))):>12}  ", style="bold")
            text.append(f"{action.help}")
            text.append(f"  {action.id}\n", style="dim")
        text.append("\n")
    text.append("Marks  ", style="bold")
    text.append("▸ shown  ● selected  ◉ pinned  ◆ baseline  ★ starred\n\n")
    text.append(f'Other keys: {keymap_file()}, a table [keys], e.g. "runs.filter" = "ctrl+f".')
    return PageOfText("Keys", text)
