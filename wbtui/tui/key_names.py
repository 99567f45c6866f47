"""Is this text a key that a terminal can send, how does Textual call it, and which key was meant where it is none?"""

import string
from collections.abc import Mapping

from textual._keyboard_protocol import FUNCTIONAL_KEYS
from textual.keys import Keys, _character_to_key

from wbtui.catalog import nearest

LOOKS_LIKE = (
    "a key is a character (a, A, ?), a name (enter, pageup, comma, f5) or ctrl+, alt+ or shift+ with one"
)
"""For messages."""

_MODIFIERS = ("alt", "ctrl", "hyper", "meta", "shift", "super")
"""In the order in which Textual writes them."""
_NEVER_SENT = {"return", "ctrl-at"}
"""Names of Textual's that no key event bears: `enter` and `ctrl+@` come in their place."""
_SIGNS = {_character_to_key(sign): sign for sign in string.punctuation}
"""Textual's name of a sign → the sign."""
_NAMED = frozenset(
    name
    for name in (*(key.value for key in Keys), *FUNCTIONAL_KEYS.values())
    if len(name) > 1 and "+" not in name and not name.startswith("<") and name not in _NEVER_SENT
)
_MEANT = {
    "return": "enter",
    "esc": "escape",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "del": "delete",
    "ins": "insert",
    "control": "ctrl",
    "strg": "ctrl",
    "option": "alt",
}
"""What people write for a key → Textual's name of it."""


def key_name(text: str) -> str:
    """Textual's name of a key: `?` → `question_mark`, `shift+ctrl+left` → `ctrl+shift+left`; empty: no key.

    Of characters shift alone is no key: a terminal sends the other character (`A`, `?`). With ctrl or alt it sends
    the small letter.
    """
    *modifiers, base = _parts(text)
    if len(set(modifiers)) < len(modifiers) or not all(name in _MODIFIERS for name in modifiers):
        return ""
    name, sign = _base(base)
    if not name or (sign and modifiers == ["shift"]) or (modifiers and sign.lower() != sign):
        return ""
    return "+".join([*sorted(modifiers), name])


def _parts(text: str) -> list[str]:
    """The modifiers and what they go with; `ctrl++` is ctrl and plus."""
    if text == "+" or text.endswith("++"):
        return [*text[:-2].split("+"), "+"] if text != "+" else ["+"]
    return text.split("+")


def _base(text: str) -> tuple[str, str]:
    """Textual's name of a key without modifiers, and the character that it writes where it does."""
    if text in _NAMED:
        return text, ""
    if text in _SIGNS:
        return text, _SIGNS[text]
    if len(text) != 1 or not text.isprintable() or text.isspace():
        return "", ""
    return _character_to_key(text), text


def meant_instead(text: str, shown: Mapping[str, str]) -> str:
    """A half sentence with the key that was meant by a text which is none; empty: nothing is near.

    Args:
        text: What was written.
        shown: Textual's name of a key → how the dashboard writes it.
    """
    names = {**{written: name for name, written in shown.items()}, **_MEANT}
    *modifiers, base = _parts(text.removeprefix("^"))
    modifiers = [names.get(name.lower(), name.lower()) for name in modifiers]
    if text.startswith("^") and len(text) > 1:
        modifiers.insert(0, "ctrl")
    lowered = names.get(base.lower(), base.lower())
    shifted = modifiers == ["shift"] and len(base) == 1
    likely = base.upper() if shifted else "+".join([*modifiers, lowered])
    if likely != text and key_name(likely):
        return f" (did you mean {likely!r}?)"
    if not lowered or shifted or lowered in _SIGNS:
        return ""
    before = "".join(f"{name}+" for name in modifiers if name in _MODIFIERS)
    bases = sorted({*_NAMED, *_SIGNS, lowered[0]})
    return nearest(before + lowered, [before + name for name in bases if key_name(before + name)])
