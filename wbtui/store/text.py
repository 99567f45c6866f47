"""How is text from a file shown so that it can do nothing to the terminal?"""

import re

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 but tab and newline, which are decided below
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""Control characters, bidirectional overrides, invisible and unpaired ones."""


def plain(text: str, *, lines: bool = False) -> str:
    """`text` with every control, bidirectional, invisible and unpaired character made visible as <U+XXXX>.

    Rich and Textual markup is not touched: show the outcome through their Text objects, never as markup.

    Args:
        text: Anything, from anywhere.
        lines: Whether newlines and tabs stay (a log, a traceback); else they are made visible too.
    """
    shown = _HARMFUL.sub(_visible, text)
    return shown if lines else shown.replace("\n", "<U+000A>").replace("\t", "<U+0009>")


def _visible(match: re.Match[str]) -> str:
    return f"<U+{ord(match[0]):04X}>"
