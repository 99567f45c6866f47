"""Does a reader get back what the writer put in, typed and without torch?"""

import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from store_helpers import CONFIG, C, Make

from wbtui.config import RunConfig
from wbtui.errors import UsageError
from wbtui.store import records
from wbtui.store.errors import StoreReadError
from wbtui.store.format import Event
from wbtui.store.history import History
from wbtui.store.ids import create_run
from wbtui.store.reader import open_run


def test_everything_written_is_read(make_run: Make) -> None:
    run = open_run(make_run())
    assert run.config["preset"] == "tiny"
    assert set(run.metrics) >= {"test.accuracy.all", "test.cosine"}
    assert run.metrics["test.accuracy@class"].names == ("a", "b", "c", "d")
    assert [epoch.number for epoch in run.epochs] == [1, 2, 3, 4, 5, 6]
    epochs, values = run.scalars("test.accuracy.all")
    np.testing.assert_allclose(values, epochs / 10)
    series = run.series("test.accuracy@class")
    np.testing.assert_array_equal(series.epochs, np.arange(1, 7))
    np.testing.assert_array_equal(
        series.values[2], np.random.default_rng((0, 3)).random(C).astype(np.float32)
    )
    assert run.result is not None
    assert run.result.seconds == 8
    assert run.state().name == "finished"
    assert run.bad_lines == 0


def test_epochs_with_the_same_vectors_share_one_set_of_their_names(make_run: Make) -> None:
    epochs = open_run(make_run(epochs=9)).epochs
    assert len(epochs) == 9
    assert len({id(epoch.vectors) for epoch in epochs}) == len({epoch.vectors for epoch in epochs}) == 2


def test_an_epoch_of_sixty_scalars_is_kept_in_about_a_kilobyte() -> None:
    """A run of ten thousand such epochs is open in the dashboard for days."""
    names = [f"test.thing_{number}" for number in range(60)]
    history, epochs = History(), 300
    tracemalloc.start()
    try:
        for epoch in range(1, epochs + 1):
            line = json.dumps({"epoch": epoch, "stage": 0, "scalars": dict.fromkeys(names, epoch / 7)})
            history.add(Event(epoch, float(epoch), "epoch", json.loads(line)))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert history.last_epoch == epochs
    assert history.epochs[7].scalars[names[3]] == 1
    assert kept / epochs < 1500


def test_matrices_are_read_at_the_epochs_their_events_name(make_run: Make) -> None:
    run = open_run(make_run())
    assert run.matrix_epochs("test.cosine") == (2, 4, 6)
    expected = np.random.default_rng((0, 4)).random((C, C)).astype(np.float32)
    np.testing.assert_array_equal(run.matrix("test.cosine", 4), expected)
    np.testing.assert_array_equal(run.matrix("test.cosine"), run.matrix("test.cosine", 6))
    with pytest.raises(StoreReadError, match="not measured in epoch 5"):
        run.matrix("test.cosine", 5)


def test_predictions_come_back_with_what_made_them(make_run: Make) -> None:
    run = open_run(make_run())
    meta = run.predictions_meta()
    assert (meta.weights, meta.epoch, meta.tta, meta.splits) == ("last", 6, "none", ("test", "validation"))
    assert meta.class_names == ("a", "b", "c", "d")
    assert len(meta.fingerprint) == 64
    rng = np.random.default_rng(1)
    test = run.predictions("test")
    np.testing.assert_array_equal(test.logits, rng.normal(size=(20, C)).astype(np.float32))
    np.testing.assert_array_equal(test.labels, rng.integers(0, C, 20))
    classifier = run.classifier()
    assert classifier.train_counts.tolist() == [40, 20, 8, 4]
    assert classifier.bias is not None
    assert classifier.norms.shape == (C,)


def test_a_classifier_without_bias_has_none(make_run: Make) -> None:
    folder = make_run()
    (folder / "predictions" / "classifier_bias.npy").unlink()
    assert open_run(folder).classifier().bias is None


def test_the_typed_configuration_is_the_one_that_was_given(runs: Path) -> None:
    config = RunConfig(preset="cifar10_lt", variant="wd", seed=3, name="mine")
    folder = create_run(runs, config, {"versions": {"numpy": "2"}})
    run = open_run(folder)
    assert run.run_config() == config
    assert run.provenance["versions"] == {"numpy": "2"}
    assert run.state().name == "starting"


def test_a_configuration_with_a_wrong_value_says_where(make_run: Make) -> None:
    folder = make_run()
    (folder / "config.toml").write_text(CONFIG.replace("epochs = 6", "epochs = -6"))
    with pytest.raises(StoreReadError, match=r"config\.toml"):
        open_run(folder).run_config()


def test_a_wrong_value_is_told_by_key_value_and_what_was_expected(make_run: Make) -> None:
    folder = make_run()
    text = (folder / "config.toml").read_text()
    for line, said in (
        ('seed = "abc"', "seed = 'abc': expected a whole number"),
        ("data = 3", "data = 3: "),
        ("sede = 1", "sede: no such key in this version"),
    ):
        key = line.partition(" ")[0]
        kept = "\n".join(one for one in CONFIG.splitlines() if not one.startswith(f"{key} ="))
        (folder / "config.toml").write_text(f"{line}\n{kept}" if key != "data" else f"{line}\n")
        with pytest.raises(StoreReadError) as caught:
            open_run(folder).run_config()
        assert f"config.toml: {said}" in str(caught.value)
        assert "pydantic" not in str(caught.value)
        assert "\n" not in str(caught.value)
    (folder / "config.toml").write_text(text)


def test_the_log_tail_is_bounded_and_harmless(make_run: Make) -> None:
    folder = make_run()
    (folder / "output.log").write_bytes(
        b"old\n" * 100_000 + b"\x1b]0;title\x07 \xff [red]x[/red]\r\n10%\r20%\r30%\nend"
    )
    tail = open_run(folder).log_tail(3)
    assert tail == ("<U+001B>]0;title<U+0007> \ufffd [red]x[/red]", "30%", "end")
    assert len(open_run(folder).log_tail(10**9)) < 100_000


def test_system_samples_are_read_on(make_run: Make) -> None:
    folder = make_run()
    run = open_run(folder)
    assert run.system_samples() == ()
    with (folder / "system.jsonl").open("ab") as file:
        file.write(b'{"t": 1.0, "cpu": 10}\nnonsense\n{"t": 2')
    assert [sample["t"] for sample in run.system_samples()] == [1.0]
    with (folder / "system.jsonl").open("ab") as file:
        file.write(b".0}\n")
    assert [sample["t"] for sample in run.system_samples()] == [1.0, 2.0]


def test_derived_results_are_read_and_broken_ones_left_out(make_run: Make) -> None:
    folder = make_run()
    (folder / "derived").mkdir()
    (folder / "derived" / "a.json").write_text('{"method": "additive"}')
    (folder / "derived" / "b.json").write_text("{")
    assert dict(open_run(folder).derived()) == {"a": {"method": "additive"}}


def test_attempts_are_kept_apart(make_run: Make) -> None:
    folder = make_run()
    records.request_stop(folder, by="test")
    assert records.stop_requested(folder)
    assert records.begin_attempt(folder) == 2
    assert not records.stop_requested(folder)
    assert open_run(folder).result is None
    first = records.read_result(folder, "attempts/1/result.json")
    assert first is not None
    assert first.reason == "all epochs done"
    assert records.begin_attempt(folder) == 2  # nothing has worked on it since


def test_a_fresh_folder_begins_with_attempt_one_and_a_stop_that_came_before_it_counts(tmp_path: Path) -> None:
    records.request_stop(tmp_path, by="a fast one")
    assert records.begin_attempt(tmp_path) == 1
    assert records.stop_requested(tmp_path)


def test_an_attempt_begins_without_what_a_killed_one_left_half_written(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    kept = [
        folder / ".notes.json.ab12cd34.tmp",  # of a reader, who may write it at this moment
        folder / ".checkpoint.pt.keep",
        folder / "matrices" / ".checkpoint.pt.ab12cd34.tmp",
        tmp_path / "elsewhere" / ".test_logits.npy.ab12cd34.tmp",
    ]
    left = [
        folder / f".{name}.ab12cd34.tmp"
        for name in ("checkpoint.pt", "best.pt", "heartbeat.json", "provenance.json", "result.json")
    ]
    left.append(folder / "predictions" / ".test_logits.npy.ab12cd34.tmp")
    for path in (*kept, *left):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    records.begin_attempt(folder)
    assert [path for path in left if path.exists()] == []
    (folder / "predictions").rename(tmp_path / "put aside")
    (folder / "predictions").symlink_to(tmp_path / "elsewhere")
    records.begin_attempt(folder)
    assert [path for path in kept if not path.exists()] == []


def test_a_heartbeat_tells_how_long_nothing_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 105.0, 110.0])
    monkeypatch.setattr(records.time, "monotonic", lambda: next(clock))
    writer = records.HeartbeatWriter(tmp_path, attempt=2)
    assert writer.beat("training", 3, 7).still_seconds == 0
    assert writer.beat("training", 3, 7).still_seconds == 5
    last = writer.beat("training", 3, 8, batches=20, images_per_second=90.0, median_step_seconds=0.1)
    assert last.still_seconds == 0
    assert records.read_heartbeat(tmp_path) == last
    assert (last.attempt, last.pid) == (2, os.getpid())


def test_a_folder_that_is_no_run_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", Path("bad\0name")):
        with pytest.raises(UsageError, match="not a run folder"):
            open_run(path)


def test_reading_loads_neither_torch_nor_a_screen() -> None:
    modules = ["reader", "writer", "index", "notes", "ids", "housekeeping", "state", "summary_row", "arrays"]
    script = f"""
import importlib, sys
for name in {modules!r}:
    importlib.import_module("wbtui.store." + name)
bad = {{"torch", "textual", "rich", "typer", "torchvision"}} & sys.modules.keys()
assert not bad, bad
early = {{"psutil", "pydantic"}} & sys.modules.keys()
assert not early, early
"""
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], check=True)
