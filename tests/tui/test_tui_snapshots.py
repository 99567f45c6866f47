"""What do the screens look like? Pictures that somebody looked at; CONTRIBUTING.md says how to look at another one."""

from collections.abc import Callable
from typing import Any

import pytest
from dashboard_helpers import STILL

Picture = Callable[..., None]
SMALL, MIDDLE, LARGE = (80, 24), (120, 40), (200, 60)
PAGE = "right_square_bracket"
TOP_IS_RUNNING, FOURTH_FAILED = ["enter", STILL], ["end", "up", "enter", STILL]
ALL_SIX = ["space", *["down", "space"] * 5, STILL, "C", STILL]


def _of(**pictures: dict[str, Any]) -> pytest.MarkDecorator:
    """One test a picture, by its name."""
    return pytest.mark.parametrize("options", [pytest.param(of, id=name) for name, of in pictures.items()])


@_of(
    none={"runs": "none"},
    none_readonly={"runs": "none", "size": SMALL, "readonly": True},
    one_small={"runs": "one", "size": SMALL},
    six_pinned={"runs": "six", "keys": [*"p", "down", "p", "down", "down", "b", "space", "down"]},
    six_alerts={"runs": "six", "toasts": True},
    six_small={"runs": "six", "size": SMALL, "keys": ["down"]},
    six_large={"runs": "six", "size": LARGE, "keys": ["space", "end", STILL, "i", "left", "left"]},
    six_no_color={"runs": "six", "no_color": True, "keys": ["space", "end"]},
    six_ascii={"runs": "six", "ascii_only": True, "size": SMALL, "keys": ["end"]},
    six_nan_smooth_log={"runs": "six", "keys": ["end", "p", "up", STILL, *"++2yx"]},
    fifty={"runs": "fifty", "keys": ["down"] * 20},
    fifty_seeds_large={"runs": "fifty", "size": LARGE, "keys": ["G", "space", "down", "down"]},
    fifty_filtered={"runs": "fifty", "size": SMALL, "keys": ["slash", STILL, *"seed<3 all>50", "enter"]},
    too_small={"runs": "six", "size": (50, 12)},
)
def test_runs(picture: Picture, options: dict[str, Any]) -> None:
    picture(**options)


@_of(
    panels_nan={"keys": [*FOURTH_FAILED, PAGE]},
    panels_wide_name_small={"size": SMALL, "keys": ["down", "down", "enter", STILL, PAGE]},
    overview={"keys": ["end", "enter"]},
    overview_failed_small={"size": SMALL, "keys": FOURTH_FAILED},
    overview_long_name_no_color={"no_color": True, "keys": ["down", "down", "down", "enter"]},
    heatmaps={"keys": [*TOP_IS_RUNNING, PAGE]},
    heatmaps_small_no_color={"size": SMALL, "no_color": True, "keys": [*TOP_IS_RUNNING, PAGE, STILL, "5"]},
    log={"keys": [*TOP_IS_RUNNING, PAGE, PAGE, STILL, "home"]},
    system={"keys": [*TOP_IS_RUNNING, PAGE, PAGE, PAGE]},
)
def test_run(picture: Picture, options: dict[str, Any]) -> None:
    picture("six", **options)


SETTINGS = [*["tab"] * 4, *"stages.0.epochs=30 stages.0.weight_decay=0.001"]


@_of(
    form_small={"size": SMALL, "keys": ["R", STILL]},
    form_differences={"keys": ["R", STILL, "down", *SETTINGS]},
    form_wrong={"keys": ["R", STILL, *"x", "tab", *"x", "tab", *"x", "tab", *"x", "tab", *"model.depth=3"]},
    form_several_no_color={"no_color": True, "keys": ["R", STILL, "tab", *"ce,wd", "tab", *"0,1,2"]},
)
def test_start(picture: Picture, options: dict[str, Any]) -> None:
    picture("none", **options)


@_of(
    waiting={"runs": "waiting"},
    empty={"runs": "none", "size": SMALL},
)
def test_queue(picture: Picture, options: dict[str, Any]) -> None:
    picture(keys=["Q", STILL], **options)


@_of(
    help={"keys": ["question_mark"]},
    help_readonly_small={"size": SMALL, "readonly": True, "keys": ["question_mark"]},
    palette_small={"size": SMALL, "keys": ["ctrl+p", STILL, *"cur"]},
    stop_small={"size": SMALL, "keys": ["I"]},
)
def test_dialogs(picture: Picture, options: dict[str, Any]) -> None:
    picture("six", **options)


@_of(
    additive={},
    additive_small={"size": SMALL},
    additive_large={"size": LARGE},
    pair_by_hand_no_color={"no_color": True, "keys": ["m", STILL, "right", "right", "G"]},
    side_by_side={"keys": ["a", "m", "m", "m", STILL, "a", "m", STILL, "o"]},
    full_small_ascii={"size": SMALL, "ascii_only": True, "keys": ["f"]},
)
def test_adjust(picture: Picture, options: dict[str, Any]) -> None:
    keys = ["L", STILL, *options.get("keys", [])]
    picture("scored", **(options | {"keys": keys}))


@_of(
    seeds={"keys": ALL_SIX},
    seeds_small={"size": SMALL, "keys": ALL_SIX},
    seeds_large={"size": LARGE, "keys": ALL_SIX},
    classes_no_color={"no_color": True, "keys": [*ALL_SIX, PAGE]},
    saved={"keys": ["C", STILL]},
)
def test_compare(picture: Picture, options: dict[str, Any]) -> None:
    picture("scored", **options)
