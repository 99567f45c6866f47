"""Is a run that is followed what reading it at once gives?"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dashboard_helpers import make_run, measure

from wbtui.store.reader import Run
from wbtui.store.summary import summarise
from wbtui.store.writer import RunWriter
from wbtui.tui.detail import Column, Follower, last_measured
from wbtui.tui.snapshots import Machine, RunDetail
from wbtui.tui.status import top_right, without_curves


def test_a_view_of_a_column_stays_as_it_was() -> None:
    column = Column(np.float64)
    views = []
    for number in range(200):
        column.append(number)
        views.append(column.view())
    for number, view in enumerate(views):
        assert view.tolist() == list(range(number + 1))
        with pytest.raises(ValueError, match="read-only"):
            view[0] = 1


def test_following_gives_what_reading_at_once_gives(tmp_path: Path) -> None:
    folder = make_run(tmp_path, epochs=3, total=9, outcome=None)
    follower = Follower(Run(folder))
    wanted = frozenset({"test.feature_norm@class", "bn.scale@layer", "test.confusion"})

    def look() -> RunDetail:
        return follower.read(summarise(Run(folder)), wanted)

    first = look()
    assert first.curve("test.fdr").values.tolist() == [10, 20, 30]
    assert look().version == first.version
    with RunWriter.open(folder) as writer:
        measure(writer, 4, total=9)
    second = look()
    assert second.version > first.version
    assert first.curve("test.fdr").values.tolist() == [10, 20, 30]
    with RunWriter.open(folder, 2) as writer:
        writer.resume(from_epoch=2)
        measure(writer, 3, total=9)
    for detail in (look(), Follower(Run(folder)).read(summarise(Run(folder)), wanted)):
        assert detail.epochs.tolist() == [1, 2, 3]
        assert detail.vectors["test.feature_norm@class"].shape == (3, 4)
        assert detail.curve("test.loss").values.tolist() == [2.0, 1.0, pytest.approx(2 / 3)]
        assert detail.images.tolist() == [200, 400, 600]


def test_matrices_are_found_without_walking_the_epochs_and_read_again_after_a_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path, epochs=9, total=9, outcome=None)
    follower = Follower(Run(folder))
    monkeypatch.setattr(Run, "matrix_epochs", lambda run, name: pytest.fail("walked through all epochs"))

    def look() -> tuple[int, float]:
        epoch, matrix = follower.read(summarise(Run(folder)), frozenset({"test.confusion"})).matrices[
            "test.confusion"
        ]
        return epoch, float(matrix[0, 0])

    assert look() == (9, 1.0)
    with RunWriter.open(folder, 2) as writer:
        writer.resume(from_epoch=8)
        writer.matrix("test.confusion", 9, np.full((4, 4), 7.0))
        writer.epoch(9, 0, {})
    assert look() == (9, 7.0)


def test_a_vector_that_cannot_be_read_is_told_and_the_rest_shown(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    (folder / "series" / "test.feature_norm@class.f32").unlink()
    detail = Follower(Run(folder)).read(summarise(Run(folder)), frozenset({"test.feature_norm@class"}))
    assert "feature_norm" in detail.problem
    assert len(detail.epochs) == 5


def test_the_row_measured_last_up_to_an_epoch() -> None:
    rows = np.array([[np.nan, np.nan], [1, np.nan], [np.nan, np.nan]], dtype=np.float32)
    found = last_measured(rows, None)
    assert found is not None
    assert found[0] == 2
    assert last_measured(rows, 1) is None
    assert last_measured(rows[:0], None) is None


def test_a_run_that_is_kept_without_its_curves_says_why_panels_are_empty(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    whole = Follower(Run(folder)).read(summarise(Run(folder)), frozenset())
    assert without_curves(summarise(Run(folder)), whole) == ""
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "events.jsonl").write_bytes(b"".join(one for one in lines if b'"epoch"' not in one))
    row = summarise(Run(folder))
    assert without_curves(row, None) == ""
    assert "holds no epochs" in without_curves(row, Follower(Run(folder)).read(row, frozenset()))
    assert without_curves(replace(row, settled=False), Follower(Run(folder)).read(row, frozenset())) == ""


def test_what_the_machine_does_stands_apart_from_the_states_of_runs() -> None:
    ((text, _),) = top_right(Machine(100.0, 3 * 2**30), 80)
    assert text == " CPU 100% RAM 3.0G "
