"""What can be done here, and by which key?"""

from collections.abc import Mapping, Sequence
from textwrap import wrap

from rich.text import Text

from wbtui.tui.actions import Action
from wbtui.tui.keymap import Keymap, display, keymap_file
from wbtui.tui.screens.dialogs import PageOfText

_KEYS_WIDTH = 14
_AROUND = 8  # cells that border, padding and scroll bar of a page take


def help_page(
    actions: Mapping[str, Sequence[Action]], keys: Keymap, *, readonly: bool, width: int
) -> PageOfText:
    """The keys of a screen, and how they are changed.

    Args:
        actions: Where they can be done → what.
        keys: As they are bound.
        readonly: Whether what writes is switched off; it stands there in grey.
        width: Cells of the terminal; where an action's id finds no room it is left out.
    """
    text = Text()
    room = max(min(110, width * 95 // 100) - _AROUND - _KEYS_WIDTH, 20)
    for place, doing in actions.items():
        text.append(f"{place}\n", style="bold underline")
        for action in doing:
            off = action.writes and readonly
            written = display(",".join(keys.keys_of(action)))
            text.append(f"{written:>{_KEYS_WIDTH - 2}}  ", style="dim" if off else "bold")
            lines = wrap(action.help + (" Not with --readonly." if off else ""), room)
            text.append(("\n" + " " * _KEYS_WIDTH).join(lines), style="dim" if off else "")
            fits = len(lines[-1]) + 2 + len(action.id) <= room
            text.append(f"  {action.id}\n" if fits else "\n", style="dim")
        text.append("\n")
    text.append("Deleting  ", style="bold")
    text.append(
        "not from here: `wbtui rm RUN` moves a run to the bin, `wbtui restore` brings it back, "
        "`wbtui restore --list` says what lies there.\n\n"
    )
    text.append("Marks  ", style="bold")
    text.append("▸ shown  ● selected  ◉ pinned  ◆ baseline  ★ starred  ⚠ alert  ✓ saved adjustment\n\n")
    text.append(
        f'Other keys: {keymap_file()}, a table [keys], e.g. "runs.filter" = "ctrl+f". Above it may stand '
    )
    text.append('theme = "nord", mouse = false and ascii = true.')
    return PageOfText("Keys", text)
