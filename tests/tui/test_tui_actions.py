"""Actions and their keys: has each a name, a key and a method of its own?"""

import pytest

from wbtui.tui.actions import ACTIONS, actions_of, bindings
from wbtui.tui.keymap import resolve_keys


def test_actions_have_names_of_their_own_and_no_two_of_a_screen_share_a_key() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    for screen in {action.screen for action in ACTIONS}:
        keys = [key for action in (*actions_of(screen), *actions_of("app")) for key in action.keys.split(",")]
        assert screen == "app" or sorted(set(keys)) == sorted(keys)


@pytest.mark.parametrize("name", ["runs", "run"])
def test_every_action_has_a_method(name: str) -> None:
    from wbtui.tui.screens.run import RunScreen
    from wbtui.tui.screens.runs import RunsScreen

    screen = {"runs": RunsScreen, "run": RunScreen}[name]
    for action in actions_of(name):
        assert hasattr(screen, "action_" + action.method.partition("(")[0]), action.id
    assert len(bindings(name)) == len(actions_of(name))


def test_keys_may_be_swapped_but_not_taken() -> None:
    swapped = resolve_keys({"runs.pin": "b", "runs.baseline": "p"}, "file")
    assert swapped.problems == ()
    assert dict(swapped.keys) == {"runs.pin": "b", "runs.baseline": "p"}
    taken = resolve_keys({"runs.pin": "b"}, "file")
    assert not taken.keys
    assert "runs.baseline has that key" in taken.problems[0]
    everywhere = resolve_keys({"app.leave": "b"}, "file")
    assert not everywhere.keys
    wrong = resolve_keys({"runs.pni": "b", "runs.pin": 3, "runs.star": " "}, "file")
    assert len(wrong.problems) == 3
    assert "did you mean 'runs.pin'" in wrong.problems[0]
