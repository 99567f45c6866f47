"""Does a resume say what is another than before, and do what its configuration says now?"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from whole_runs import epochs, run

from wbtui.errors import RunFailedError
from wbtui.store.reader import open_run
from wbtui.training import checkpoint as checkpoints
from wbtui.training.__main__ import main
from wbtui.training.trainer import StopRequested

MORE_THAN_AN_EPOCH = 20
"""Batches; an epoch has 17."""


@pytest.fixture
def broken_off(made_once: Callable[[str, Callable[[Path], object]], Path], tmp_path: Path) -> Path:
    """A run of one stage that was stopped in its third epoch; `earlier.pt` is its checkpoint of the second."""

    def make(folder: Path) -> None:
        for _ in range(2):
            if (folder / "run" / "checkpoint.pt").exists():
                shutil.copy(folder / "run" / "checkpoint.pt", folder / "earlier.pt")
            with pytest.raises(StopRequested):
                run(folder / "run", "eager", "stages.0.epochs=4", variant="wd", stop_after=MORE_THAN_AN_EPOCH)
        shutil.move(folder / "earlier.pt", folder / "run" / "earlier.pt")

    return Path(shutil.copytree(made_once("broken_off", make) / "run", tmp_path / "run"))


def alerts(folder: Path) -> list[str]:
    return [alert.message for alert in open_run(folder).history.alerts if alert.kind == "identity"]


def resumed(folder: Path, *settings: str) -> Path:
    return run(folder, "eager", "stages.0.epochs=4", *settings, variant="wd")


def test_a_resume_with_the_same_configuration_says_nothing(broken_off: Path) -> None:
    assert alerts(resumed(broken_off, "name=another label", "checkpoint.every_seconds=7")) == []


def test_a_configuration_edited_between_attempts_is_told_by_key_once(broken_off: Path) -> None:
    settings = ("stages.0.weight_decay=0.5", "stages.0.learning_rate=0.001", "data.many_above=40")
    (told,) = alerts(resumed(broken_off, *settings))
    assert "stages.0.weight_decay 0.002 -> 0.5" in told
    assert "stages.0.learning_rate 0.1 -> 0.001" in told
    assert "data.many_above 30 -> 40" in told
    assert told.count("->") == 3
    (broken_off / "earlier.pt").unlink()
    assert len(alerts(resumed(broken_off, *settings))) == 1


def test_weight_decay_edited_between_attempts_is_what_trains(broken_off: Path) -> None:
    resumed(broken_off, "stages.0.weight_decay=0.5")
    saved = checkpoints.load(broken_off)
    assert saved is not None
    assert [group["weight_decay"] for group in saved.optimizer["param_groups"]] == [0.5]


def test_what_changed_is_told_also_where_a_kill_took_epochs_back(broken_off: Path) -> None:
    shutil.copy(broken_off / "earlier.pt", broken_off / "checkpoint.pt")
    (broken_off / "provenance.json").write_text(json.dumps({"version": 1, "identity": {"numpy": "1.0"}}))
    assert len(epochs(broken_off)) == 2
    assert main([str(broken_off)]) == 0
    assert ["numpy '1.0' -> " in told for told in alerts(broken_off)] == [True]


@pytest.mark.parametrize("setting", ["model.name=resnet20", "model.bias=false", "data.classes=10"])
def test_another_net_than_the_checkpoints_is_named_in_one_message(broken_off: Path, setting: str) -> None:
    with pytest.raises(RunFailedError) as failed:
        resumed(broken_off, setting)
    key, _, value = setting.partition("=")
    assert "checkpoint.pt is of another net than config.toml describes" in str(failed.value)
    assert f"{key} " in str(failed.value)
    assert value.lower() in str(failed.value).lower()


@pytest.mark.parametrize("setting", ["stages.0.decay_rule=no_bn", "stages.0.bn_scale=fixed"])
def test_other_parameters_than_the_checkpoints_are_named_in_one_message(
    broken_off: Path, setting: str
) -> None:
    with pytest.raises(RunFailedError, match="other parameters train or decay"):
        resumed(broken_off, setting)


def test_a_checkpoint_of_before_configurations_were_kept_is_read(broken_off: Path) -> None:
    path = broken_off / "checkpoint.pt"
    saved = torch.load(path, weights_only=True)
    del saved["configuration"]
    torch.save(saved, path)
    assert alerts(resumed(broken_off, "stages.0.learning_rate=0.001")) == []
