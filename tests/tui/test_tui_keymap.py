"""Keys in the user's file: which are keys, what is said of those that are none, and what counts all the same."""

import ast
import re
from pathlib import Path

import pytest
from dashboard_helpers import drive, opened, said
from hypothesis import given
from hypothesis import strategies as st

from wbtui.tui.actions import ACTIONS
from wbtui.tui.key_names import key_name, meant_instead
from wbtui.tui.keymap import load_keymap, resolve_keys
from wbtui.tui.screens.runs import RunsScreen


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("?", "question_mark"),
        ("A", "A"),
        ("é", "é"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("ctrl+/", "ctrl+slash"),
        ("shift+ctrl+left", "ctrl+shift+left"),
        ("ctrl+shift+a", "ctrl+shift+a"),
        ("shift+space", "shift+space"),
        ("f5", "f5"),
        ("alt+pageup", "alt+pageup"),
    ],
)
def test_what_a_terminal_sends_is_a_key(text: str, name: str) -> None:
    assert key_name(text) == name


def test_every_default_is_a_key_by_the_same_rule() -> None:
    for action in ACTIONS:
        assert [key_name(key) for key in action.keys.split(",")] == action.keys.split(","), action.id


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("ctrl+banana", "ctrl+b"),
        ("foo", "f"),
        ("entr", "enter"),
        ("Ctrl+F", "ctrl+f"),
        ("control+x", "ctrl+x"),
        ("^f", "ctrl+f"),
        ("esc", "escape"),
        ("pgup", "pageup"),
        ("return", "enter"),
        ("shift+a", "A"),
        ("ctrl+A", "ctrl+a"),
    ],
)
def test_what_is_no_key_is_told_with_the_nearest(text: str, meant: str) -> None:
    keymap = resolve_keys({"runs.filter": text, "runs.pin": "ctrl+f"}, "dashboard.toml")
    (problem,) = keymap.problems
    assert problem.startswith(
        f"dashboard.toml: runs.filter: no key is called {text!r} (did you mean {meant!r}?)"
    )
    assert "a key is a character (a, A, ?), a name (enter," in problem
    assert problem.endswith("runs.filter keeps /")
    assert keymap.keys == {"runs.pin": "ctrl+f"}


@pytest.mark.parametrize(
    "text",
    ["ctrl+", "ctrl+ctrl+a", "++", "shift+slash", "up up", "xyzzy", "\x07", "\u202e", "<any>", "b" * 300],
)
def test_no_key_is_made_of_anything_else(text: str) -> None:
    assert key_name(text) == ""
    (problem,) = resolve_keys({"runs.filter": text}, "dashboard.toml").problems
    assert problem.isprintable()
    assert len(problem) < 250


@given(
    st.text(max_size=12)
    | st.lists(st.sampled_from(["ctrl", "shift", "alt", "+", "a", "A", "?", "up", "esc", "F5"])).map("+".join)
)
def test_names_are_stable_and_what_is_suggested_is_a_key(text: str) -> None:
    name = key_name(text)
    typed = not text.isascii()  # a sign like § is taken as it is; its name is not: BANANA is one too
    assert not name or typed or key_name(name) == name
    suggested = re.search(r"did you mean ('.*'|\".*\")\?", meant_instead(text, {}))
    assert suggested is None or key_name(ast.literal_eval(suggested[1]))


def test_one_wrong_key_leaves_the_rest_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dashboard.toml"
    file.write_text(
        'theme = "nord"\n[keys]\n"runs.filter" = "up,foo"\n"runs.sort" = "ctrl+o"\n"runs.srot" = "x"\n'
    )
    monkeypatch.setattr("wbtui.tui.app.keymap_file", lambda: file)
    assert load_keymap(file).keys == {"runs.sort": "ctrl+o"}

    async def look() -> None:
        async with opened(tmp_path / "runs") as (app, pilot):
            await pilot.pause()
            assert "runs.filter: no key is called 'foo'" in said(app)
            assert "no action is called 'runs.srot' (did you mean 'runs.sort'?)" in said(app)
            assert app.theme == "nord"
            await pilot.press("slash")
            assert not isinstance(app.screen, RunsScreen)

    drive(look)


def test_the_key_that_always_leaves_is_no_other_actions() -> None:
    keymap = resolve_keys({"runs.start": "ctrl+q", "app.leave": "ctrl+q"}, "dashboard.toml")
    assert keymap.keys == {"app.leave": "ctrl+q"}
    assert keymap.problems == (
        "dashboard.toml: runs.start = 'ctrl+q': ctrl+q always leaves the dashboard; runs.start keeps R",
    )
