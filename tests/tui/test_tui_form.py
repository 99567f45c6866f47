"""What does the start form make of what is written in it? Without a screen."""

import shlex
from pathlib import Path

import pytest

from wbtui.data.available import available
from wbtui.notices import notices
from wbtui.presets import resolve
from wbtui.tui.form import FormValues, answer, blamed, setting_keys, value_used


def test_the_form_multiplies_lists_and_gives_the_command_that_does_the_same() -> None:
    found = answer(
        FormValues("digits_lt", "ce,wd", "0,1,2", settings="stages.0.epochs=3 stages.0.learning_rate=0.2")
    )
    assert not found.wrong
    assert len(found.resolved) == 6
    assert ("stages.0.epochs", "150", "3", "") in found.difference
    assert ("stages.0.weight_decay", "0.005", "0.0", "ce") in found.difference
    words = shlex.split(found.command)
    assert words[:3] == ["wbtui", "queue", "add"]
    assert "stages.0.learning_rate=0.2" in words
    assert "--runs" not in words
    elsewhere = answer(FormValues("digits_lt"), runs=Path("else where")).command
    assert elsewhere == "wbtui run --preset digits_lt --runs 'else where'"


def test_what_is_allowed_but_hardly_meant_is_told_once() -> None:
    words = "stages.0.epochs=1 stages.0.schedule=cosine_papers stages.0.weight_decay=0"
    found = answer(FormValues(preset="digits_lt", variant="ce", seed="0,1", settings=words))
    assert len(found.resolved) == 2
    assert list(found.notices) == notices([found.resolved[0].config])
    assert "trains at learning rate 0" in found.notices[0]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (FormValues(""), "preset"),
        (FormValues("nothing"), "preset"),
        (FormValues("digits_lt", "ce,nothing"), "variant"),
        (FormValues("digits_lt", seed="-1"), "seed"),
        (FormValues("digits_lt", seed="1,1"), "seed"),
        (FormValues("digits_lt", device="gpu"), "device"),
        (FormValues("digits_lt", settings="epochs=3"), "settings"),
        (FormValues("digits_lt", settings="'stages.0.epochs=3"), "settings"),
        (FormValues("digits_lt", settings="model.head=etf model.name=mlp"), ""),
        (FormValues("digits_lt", settings="model.head=etf model.width=2"), "settings"),
        (FormValues("digits_lt", name="x" * 300), "name"),
        (FormValues("digits_lt", tags="base " + "x" * 61), "tags"),
        (FormValues("digits_lt", note="x" * 20_001), "note"),
    ],
)
def test_what_is_wrong_is_told_to_its_field(values: FormValues, field: str) -> None:
    found = answer(values)
    assert list(found.wrong) == ([field] if field else [])
    assert bool(found.resolved) == (not field)


@pytest.mark.parametrize(
    ("values", "field", "wanted"),
    [
        (
            FormValues("digits_lt", settings="epochs=40"),
            "settings",
            "epochs: no such key; did you mean stages.0.epochs?",
        ),
        (
            FormValues("digits_lt", settings="stages.0.epochs=x threads=-1"),
            "settings",
            "stages.0.epochs = 'x': expected a whole number\n"
            "threads = -1: expected greater than or equal to 0",
        ),
        (
            FormValues("digits_lt", settings="seven"),
            "settings",
            "seven: expected KEY=VALUE, for example stages.0.epochs=40",
        ),
        (
            FormValues("digits_lt", device="7"),
            "device",
            "device = '7': expected auto, cpu, mps, cuda or cuda:N",
        ),
        (
            FormValues("digits_lt", settings="data.source=npz"),
            "settings",
            "data.source=npz: data: source = 'npz' needs root (data.root): the path of its images",
        ),
        (
            FormValues("digits_lt", seed="0-2, 1"),
            "seed",
            "a value stands there twice",
        ),
    ],
)
def test_what_is_wrong_names_no_option_of_the_command_line(
    values: FormValues, field: str, wanted: str
) -> None:
    assert sorted(answer(values).wrong[field].splitlines()) == sorted(wanted.splitlines())


def test_what_is_not_there_is_told_to_its_field_and_without_options(tmp_path: Path) -> None:
    problem = available(resolve("cifar10_lt", settings=[f"data.root={tmp_path}"]).config.data).problem
    assert blamed(problem, "preset")["preset"].endswith(
        "start it by `wbtui run --download` (170 MB), put it there, or say where it is with data.root"
    )
    assert list(blamed("device = 'cuda:3': torch sees 0 CUDA devices here", "preset")) == ["device"]


def test_help_of_a_setting_names_the_value_that_holds_and_where_it_comes_from() -> None:
    planned = answer(FormValues("digits_lt", "wd_fr", settings="stages.0.epochs=7")).planned
    assert value_used("stages.0.epochs", planned) == "150 from preset digits_lt; default 200"
    regularization = value_used("stages.0.feature_regularization", planned)
    assert regularization == "0.001 from preset digits_lt for wd_fr; default 0.0"
    assert value_used("stages.0.weight_decay", answer(FormValues("cifar10_lt", "wd")).planned) == (
        "0.005 from variant wd; default 0.0"
    )
    assert value_used("stages.0.nesterov", None) == "default False"


def test_every_setting_has_a_line_of_help() -> None:
    keys = setting_keys()
    assert "Passes over the training split." in keys["stages.0.epochs"]
    assert all("None Default" not in text for text in keys.values())
    assert "checkpoint.every_seconds" in keys
