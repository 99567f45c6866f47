"""Does the writer leave what the contract promises, whatever happens to the disk or to the trainer?"""

import errno
import filecmp
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
from store_helpers import METRICS, C, Make, Opened, measure, predict

from wbtui.errors import RunFailedError
from wbtui.store import log, rows
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import Metric
from wbtui.store.reader import open_run
from wbtui.store.writer import RunWriter


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def rows_of(folder: Path, name: str, width: int) -> np.ndarray:
    return np.fromfile(folder / "series" / f"{name}.f32", dtype="<f4").reshape(-1, width)


def test_events_carry_version_time_and_consecutive_numbers(make_run: Make) -> None:
    began = round(time.time(), 3)  # as precise as they are: a later time can be rounded below an earlier one
    events = lines(make_run())
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert {event["v"] for event in events} == {1}
    times = [float(str(event["t"])) for event in events]
    assert began <= times[0]
    assert times == sorted(times)
    assert times[-1] <= round(time.time(), 3)
    assert events[0]["type"] == "start"
    assert events[0]["attempt"] == 1


def test_json_has_neither_nan_nor_infinity(make_run: Make) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder) as writer:
        writer.epoch(7, 0, {"test.fdr": float("inf"), "test.accuracy.all": float("-inf")})
    assert not re.search(rb"NaN|Infinity", (folder / "events.jsonl").read_bytes())
    assert lines(folder)[-1]["scalars"] == {"test.fdr": "inf", "test.accuracy.all": "-inf"}
    _, values = open_run(folder).scalars("test.fdr")
    assert np.isnan(values[0])
    assert np.isposinf(values[-1])


def test_vectors_are_float32_rows_and_nan_where_not_measured(make_run: Make) -> None:
    folder = make_run()
    rng = np.random.default_rng((0, 5))
    expected = rng.random(C).astype("<f4")
    data = (folder / "series" / "test.accuracy@class.f32").read_bytes()
    assert len(data) == 6 * C * 4
    assert data[4 * C * 4 : 5 * C * 4] == expected.tobytes()
    layers = rows_of(folder, "bn.scale@layer", 3)
    assert np.isnan(layers[1]).all()
    assert not np.isnan(layers[[0, 2, 3, 4, 5]]).any()


def test_a_metric_declared_late_has_nan_before(make_run: Make) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder) as writer:
        writer.define(Metric("test.feature_norm@class", "feature_norm", axis="class", width=C))
        writer.epoch(7, 1, {}, {"test.feature_norm@class": np.ones(C)})
    late = rows_of(folder, "test.feature_norm@class", C)
    assert late.shape == (7, C)
    assert np.isnan(late[:6]).all()
    assert (late[6] == 1).all()


def test_a_metric_is_declared_once(make_run: Make) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder, attempt=2) as writer:
        for metric in METRICS:
            writer.define(metric)
        with pytest.raises(ValueError, match="width 4"):
            writer.define(Metric("test.accuracy@class", "accuracy", axis="class", width=9))
    assert [event["type"] for event in lines(folder)].count("define") == len(METRICS)


@pytest.mark.parametrize(
    ("scalars", "vectors", "epoch"),
    [
        ({"never.declared": 1.0}, {}, 7),
        ({}, {"test.accuracy@class": np.ones(C + 1)}, 7),
        ({}, {"test.accuracy.all": np.ones(1)}, 7),
        ({}, {}, 6),
    ],
)
def test_an_epoch_that_makes_no_sense_is_refused_and_not_written(
    make_run: Make, scalars: dict[str, float], vectors: dict[str, np.ndarray], epoch: int
) -> None:
    folder = make_run(finished=False)
    before = len(lines(folder))
    with RunWriter.open(folder) as writer, pytest.raises(ValueError, match=r"declared|epoch"):
        writer.epoch(epoch, 0, scalars, vectors)
    assert len(lines(folder)) == before


def test_an_unknown_event_type_is_refused(make_run: Make) -> None:
    with RunWriter.open(make_run()) as writer, pytest.raises(ValueError, match="epohc"):
        writer.event("epohc")


def test_equal_runs_have_equal_bytes(make_run: Make) -> None:
    first, second = make_run("a", seed=3), make_run("b", seed=3)
    other = make_run("c", seed=4)
    names = [
        str(path.relative_to(first))
        for folder in ("series", "matrices", "predictions")
        for path in (first / folder).iterdir()
    ]
    assert len(names) == 12
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])
    assert "series/test.accuracy@class.f32" in filecmp.cmpfiles(first, other, names, shallow=False)[1]


def test_a_killed_and_resumed_run_has_the_bytes_of_one_that_ran_through(make_run: Make) -> None:
    whole, killed = make_run("whole"), make_run("killed", epochs=5, finished=False)
    with (killed / "events.jsonl").open("ab") as file:
        file.write(b'{"v":1,"seq":99,"t":1.0,"type":"epo')  # the kill came in the middle of a line
    with RunWriter.open(killed, attempt=2) as writer:
        assert writer.last_epoch == 5
        writer.resume(3)
        for epoch in (4, 5, 6):
            measure(writer, epoch)
        predict(writer)
        writer.event("end", outcome="finished", reason="all epochs done")
    for folder in ("series", "matrices", "predictions"):
        names = [path.name for path in (whole / folder).iterdir()]
        assert filecmp.cmpfiles(whole / folder, killed / folder, names, shallow=False)[0] == names
    run = open_run(killed)
    assert [epoch.number for epoch in run.epochs] == [1, 2, 3, 4, 5, 6]
    assert run.bad_lines == 1
    assert run.history.attempt == 2
    seqs = [event["seq"] for event in map(json.loads, _whole_lines(killed))]
    assert seqs == list(range(len(seqs)))


def _whole_lines(folder: Path) -> list[bytes]:
    return [line for line in (folder / "events.jsonl").read_bytes().splitlines() if line.endswith(b"}")]


def test_resume_cuts_rows_off_and_is_applied_by_the_reader(make_run: Make) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder, attempt=2) as writer:
        writer.resume(2)
        assert writer.last_epoch == 2
    assert rows_of(folder, "test.accuracy@class", C).shape == (2, C)
    run = open_run(folder)
    assert [epoch.number for epoch in run.epochs] == [1, 2]
    assert run.matrix_epochs("test.cosine") == (2,)
    assert run.series("test.accuracy@class").values.shape == (2, C)


def test_rows_are_there_before_their_event(make_run: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder) as writer:

        def fail(self: object, line: bytes) -> None:
            raise StoreWriteError(folder, OSError(errno.ENOSPC, "full"))

        with monkeypatch.context() as patch:
            patch.setattr(log.LineWriter, "append", fail)
            with pytest.raises(StoreWriteError):
                measure(writer, 7)
        assert rows_of(folder, "test.accuracy@class", C).shape == (7, C)
        assert open_run(folder).series("test.accuracy@class").values.shape == (6, C)
        measure(writer, 7)
    assert open_run(folder).series("test.accuracy@class").values.shape == (7, C)


def test_half_a_line_on_a_full_disk_is_skipped_and_the_event_written_again(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(finished=False)
    real = os.write
    calls = []

    def half(handle: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return real(handle, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "full")

    with RunWriter.open(folder) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(log.os, "write", half)
            with pytest.raises(StoreWriteError) as caught:
                measure(writer, 7)
        assert caught.value.disk_full
        assert open_run(folder).history.last_epoch == 6
        measure(writer, 7)
        measure(writer, 8)
    run = open_run(folder)
    assert run.history.last_epoch == 8
    assert run.bad_lines == 1
    assert run.series("test.accuracy@class").values.shape == (8, C)


def test_a_file_size_limit_of_the_kernel_is_a_full_disk(make_run: Make, tmp_path: Path) -> None:
    """A real short write: RLIMIT_FSIZE lets the kernel write half a line, then refuse."""
    folder = make_run(finished=False)
    size = (folder / "events.jsonl").stat().st_size
    script = textwrap.dedent(f"""
        import resource, signal
        from pathlib import Path
        from wbtui.store.errors import StoreReadError, StoreWriteError
        from wbtui.store.writer import RunWriter
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        writer = RunWriter.open(Path({str(folder)!r}))
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size} + 30, resource.RLIM_INFINITY))
        try:
            writer.epoch(7, 0, {{"test.fdr": 1.0}})
        except StoreWriteError as error:
            print("caught", error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        writer.epoch(7, 0, {{"test.fdr": 1.0}})
    """)
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("file sizes are limited here already")
    repository = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, capture_output=True, text=True, check=True
    )
    assert "caught" in done.stdout
    run = open_run(folder)
    assert (run.history.last_epoch, run.bad_lines) == (7, 1)


def test_a_full_disk_while_rows_are_written_can_be_tried_again(
    make_run: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(finished=False)

    def full(handle: int, data: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "full")

    with RunWriter.open(folder) as writer:
        with monkeypatch.context() as patch:
            patch.setattr(rows.os, "pwrite", full)
            with pytest.raises(StoreWriteError):
                measure(writer, 7)
        measure(writer, 7)
    assert open_run(folder).history.last_epoch == 7


def test_a_vanished_folder_is_noticed_and_its_return_too(make_run: Make, tmp_path: Path) -> None:
    folder = make_run(finished=False)
    with RunWriter.open(folder) as writer:
        shutil.copytree(folder, tmp_path / "kept")
        shutil.rmtree(folder)
        for _ in range(2):
            with pytest.raises(StoreWriteError):
                measure(writer, 7)
        shutil.copytree(tmp_path / "kept", folder)
        measure(writer, 7)
    assert open_run(folder).series("test.accuracy@class").values.shape == (7, C)


def test_a_missing_folder_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(StoreWriteError, match="No such file"):
        RunWriter.open(tmp_path / "nowhere")


def test_nothing_is_written_through_a_link(make_run: Make, tmp_path: Path) -> None:
    folder = make_run(finished=False)
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    target = folder / "series" / "test.accuracy@class.f32"
    target.unlink()
    target.symlink_to(precious)
    with RunWriter.open(folder, attempt=2) as writer, pytest.raises(StoreWriteError):
        writer.resume(0)
    (folder / "events.jsonl").unlink()
    (folder / "events.jsonl").symlink_to(precious)
    with pytest.raises(StoreReadError, match="symbolic link"):
        RunWriter.open(folder)
    assert precious.read_bytes() == b"mine"


def test_an_epoch_opens_no_file_and_waits_for_no_disk(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One write a file: what an epoch may take beside the training that it measures."""
    (tmp_path / "config.toml").touch()
    vectors = [f"test.v{i}@class" for i in range(10)]
    calls: list[str] = []
    with RunWriter.open(tmp_path) as writer:
        writer.define(Metric("test.s", "s"))
        for name in vectors:
            writer.define(Metric(name, "v", axis="class", width=100))
        measured = {name: np.ones(100, np.float32) for name in vectors}
        writer.epoch(1, 0, {"test.s": 0.5}, measured)
        with monkeypatch.context() as patch:
            for call in ("write", "pwrite", "fsync"):
                real = getattr(os, call)
                patch.setattr(
                    os, call, lambda *given, call=call, real=real: calls.append(call) or real(*given)
                )
            with opened() as files:
                writer.epoch(2, 0, {"test.s": 0.5}, measured)
    assert files == []
    assert sorted(calls) == ["pwrite"] * len(vectors) + ["write"]


def test_predictions_that_do_not_fit_are_refused(make_run: Make) -> None:
    from wbtui.store.predictions import Classifier, PredictionsMeta, SplitPredictions

    folder = make_run(finished=False)
    ones = np.ones(C)
    meta = PredictionsMeta("last", 1, "none")
    with RunWriter.open(folder) as writer:
        good = SplitPredictions(np.zeros((3, C), np.float32), np.zeros(3, np.int64))
        with pytest.raises(ValueError, match="classifier_norms"):
            writer.predictions({"test": good}, Classifier(np.ones(C, np.int64), ones, np.ones(3), None), meta)
        wrong = SplitPredictions(np.zeros((3, C), np.float32), np.zeros(2, np.int64))
        with pytest.raises(ValueError, match="labels"):
            writer.predictions({"test": wrong}, Classifier(np.ones(C, np.int64), ones, ones, None), meta)
        with pytest.raises(ValueError, match="split name"):
            writer.predictions({"../x": good}, Classifier(np.ones(C, np.int64), ones, ones, None), meta)
    assert not (folder / "predictions" / "meta.json").exists()


def test_a_log_that_grows_too_long_ends_the_run_while_it_can_still_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("writer", "events"):
        monkeypatch.setattr(f"wbtui.store.{module}.MAX_LOG", (4 << 20) + 10_000)
    with RunWriter.open(tmp_path) as writer:
        writer.event("start", epochs=1_000_000, classes=2)
        for epoch in (1, 2, 3, 4):
            writer.epoch(epoch, 0, {}, note="x" * 2_000)
        with pytest.raises(RunFailedError, match=r"events\.jsonl.*4 epochs.*fewer epochs"):
            writer.epoch(5, 0, {}, note="x" * 2_000)
        writer.event("end", outcome="failed", reason="too long")
    (tmp_path / "config.toml").touch()
    history = open_run(tmp_path).history
    assert history.last_epoch == 4
    assert history.end is not None
