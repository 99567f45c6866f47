"""Whose stages may be taken over, by which configuration, and what of that run comes along."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_runs import EPOCHS, make_run

from wbtui.errors import UsageError
from wbtui.launch import start
from wbtui.launch.stages_before import epochs_left, other_than_of_variant, read_source, resolve_after
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import Result
from wbtui.store.reader import open_run
from wbtui.store.records import write_result
from wbtui.store.writer import RunWriter


def test_stages_and_all_that_decides_them_are_the_sources(tmp_path: Path) -> None:
    source = read_source(
        make_run(tmp_path, "wd", 3, "stages.0.weight_decay=0.02", "data.imbalance_factor=20")
    )
    resolved = resolve_after(source, variant="wb", settings=["stages.1.weight_decay=0.3"])
    config = resolved.config
    assert config.stages[0] == source.config.stages[0]
    assert (config.seed, config.data, config.model) == (3, source.config.data, source.config.model)
    assert (config.preset, config.variant) == ("digits_lt", "wb")
    assert config.stages[1].weight_decay == 0.3
    assert resolved.origins["stages.0.weight_decay"] == str(source.folder / "config.toml")
    assert epochs_left(resolved) == config.stages[1].epochs
    assert other_than_of_variant(source, resolved) == (
        f"trained otherwise than wb of digits_lt: stages.0.epochs = {EPOCHS}, not 150, "
        "stages.0.weight_decay = 0.02, not 0.005"
    )


@pytest.mark.parametrize(
    ("variant", "settings", "words"),
    [
        ("wd", (), "trained 1 of 1 stages, so nothing is left to train"),
        ("", (), "nothing is left to train"),
        (
            "wb",
            ("stages.0.weight_decay=0.02",),
            r"--set stages.0.weight_decay=0.02: .* was trained with 0.005",
        ),
        ("wb", ("data.imbalance_factor=20",), "was trained with 50.0"),
        ("wb", ("seed=4",), "was trained with 0"),
        ("wb", ("model.name=resnet20",), "was trained with 'resnet8'"),
        ("wbb", (), "did you mean 'wb'"),
    ],
)
def test_what_was_trained_otherwise_is_refused(
    tmp_path: Path, variant: str, settings: tuple[str, ...], words: str
) -> None:
    source = read_source(make_run(tmp_path, "wd"))
    with pytest.raises(UsageError, match=words):
        resolve_after(source, variant=variant, settings=settings)


def test_a_run_that_has_not_finished_or_lost_its_checkpoint_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a run that has finished"):
        read_source(make_run(tmp_path, "wd", 1, finished=False))
    pruned = make_run(tmp_path, "wd")
    (pruned / "checkpoint.pt").unlink()
    with pytest.raises(UsageError, match=r"checkpoint\.pt is not there \(pruned"):
        read_source(pruned)


def test_of_a_preset_that_is_gone_the_runs_own_values_stand(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "wd")
    text = (folder / "config.toml").read_text("utf-8")
    (folder / "config.toml").write_text(
        text.replace('preset = "digits_lt"', 'preset = "colleagues"'), "utf-8"
    )
    resolved = resolve_after(read_source(folder), variant="wb")
    assert (resolved.config.preset, resolved.config.variant) == ("colleagues", "wb")


def taken_over(runs: Path, source: Path) -> Path:
    return start.make_run(runs, resolve_after(read_source(source), variant="wb"))


def test_measurements_and_checkpoint_come_along_and_the_rest_stays(tmp_path: Path) -> None:
    source = make_run(tmp_path, "wd")
    with RunWriter.open(source, attempt=2) as writer:  # it was resumed once, which took epochs back
        writer.resume(from_epoch=EPOCHS - 2)
        for epoch in (EPOCHS - 1, EPOCHS):
            writer.matrix("test.cosine", epoch, np.full((10, 10), epoch))
            writer.epoch(
                epoch, 0, {"running.loss": 7.0 + epoch}, {"test.feature_norm@class": np.full(10, epoch)}
            )
    write_result(source, Result(2, "finished", "all epochs done", 0, None, 1e9, 1e9 + 9, EPOCHS))
    folder = taken_over(tmp_path, source)
    there = {path.name for path in folder.iterdir()}
    assert there == {
        *("config.toml", "provenance.json", "events.jsonl", "series", "matrices", "checkpoint.pt")
    }
    assert (folder / "checkpoint.pt").samefile(source / "checkpoint.pt")
    run, other = open_run(folder), open_run(source)
    assert run.state().name == "starting"
    copied, measured = ([replace(one, worked=0, attempt=0) for one in each.epochs] for each in (run, other))
    assert copied == measured
    assert np.array_equal(run.series("test.feature_norm@class").values[-1], np.full(10, EPOCHS))
    assert np.array_equal(run.matrix("test.cosine"), np.full((10, 10), EPOCHS))
    assert run.provenance["taken_over"] == {"run": source.name, "epochs": EPOCHS}
    assert run.provenance["identity"] == other.provenance["identity"]
    assert run.history.next_seq == len((folder / "events.jsonl").read_bytes().splitlines())


def test_where_no_file_can_have_two_names_the_checkpoint_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_names: object, **_how: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    source = make_run(tmp_path, "wd")
    monkeypatch.setattr(os, "link", refuse)
    folder = taken_over(tmp_path, source)
    assert not (folder / "checkpoint.pt").samefile(source / "checkpoint.pt")
    assert (folder / "checkpoint.pt").read_bytes() == (source / "checkpoint.pt").read_bytes()


@pytest.mark.parametrize("name", ["series/test.feature_norm@class.f32", "checkpoint.pt"])
def test_nothing_outside_a_strangers_run_comes_along_and_no_folder_stays(tmp_path: Path, name: str) -> None:
    secret, source, runs = tmp_path / "secret", make_run(tmp_path / "theirs", "wd"), tmp_path / "ours"
    secret.write_bytes(b"x" * 4000)
    (source / name).unlink()
    (source / name).symlink_to(secret)
    with pytest.raises((StoreReadError, StoreWriteError)):
        taken_over(runs, source)
    assert not list(runs.iterdir())
