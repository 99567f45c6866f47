"""Is a screen that asks twice a second told everything, without everything being looked at?"""

import json
import os
import shutil
from pathlib import Path

import pytest
from store_helpers import Make, measure

from wbtui.errors import UsageError
from wbtui.store import facts
from wbtui.store import index as index_module
from wbtui.store.errors import StoreWriteError
from wbtui.store.format import LIVING
from wbtui.store.index import RunIndex
from wbtui.store.index_writing import update_rows
from wbtui.store.notes import edit_tags
from wbtui.store.records import write_process
from wbtui.store.summary import broken
from wbtui.store.writer import RunWriter


def test_where_nothing_moves_the_very_same_rows_are_told(make_run: Make, runs: Path) -> None:
    make_run("a")
    index = RunIndex(runs)
    rows = index.listing().rows
    assert all(index.poll().rows is rows for _ in range(30))


def test_a_change_in_a_watched_run_is_seen_at_once_among_many(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [make_run(name, epochs=1) for name in "abcd"]
    monkeypatch.setattr(index_module, "_SETTLED_A_POLL", 1)
    index = RunIndex(runs)
    index.listing()
    edit_tags(folders[3], add=["x"])
    assert index.poll().by_id["d"].tags == ()
    assert index.poll(["d", "gone"]).by_id["d"].tags == ("x",)
    edit_tags(folders[0], add=["y"])
    told = [index.poll().by_id["a"].tags for _ in range(5)]
    assert told[-1] == ("y",)


def test_rows_by_id_and_unsettled_ones_keep_up(make_run: Make, runs: Path) -> None:
    make_run("b")
    going = make_run("a", epochs=2, finished=False)
    index = RunIndex(runs)
    assert [row.id for row in index.listing().unsettled] == ["a"]
    with RunWriter.open(going) as writer:
        measure(writer, 3)
    told = index.poll()
    assert told.by_id["a"].epoch == 3
    assert told.rows == tuple(told.by_id.values())
    assert [row.epoch for row in told.unsettled] == [3]
    make_run("c")
    shutil.rmtree(going)
    told = index.poll()
    assert [*told.by_id] == [row.id for row in told.rows] == ["b", "c"]
    assert told.unsettled == ()


def test_the_events_of_a_run_that_crashed_with_nobody_to_write_it_down_are_not_kept(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("a", finished=False)
    write_process(folder, facts.process_info(1, pid=os.getpid()))
    index = RunIndex(runs)
    assert index.listing().by_id["a"].state in LIVING
    assert [*index._open] == ["a"]
    monkeypatch.setattr(facts, "trainer_liveness", lambda _: "gone")
    assert index.poll().by_id["a"].state == "crashed"
    assert not index._open


def test_a_folder_of_runs_that_is_gone_for_a_while_is_said_not_made_anew_and_not_read_again(
    make_run: Make, runs: Path
) -> None:
    make_run("a")
    index = RunIndex(runs)
    rows = index.listing().rows
    runs.rename(runs.parent / "elsewhere")
    for look in (index.poll, index.listing, index.poll):
        with pytest.raises(UsageError, match="not there any more"):
            look()
    with pytest.raises(StoreWriteError):  # as where it goes in the middle of a look
        update_rows(index.path, runs, {}, ["a"], {})
    (runs.parent / "elsewhere").rename(runs)  # which an index in its place would refuse
    assert index.poll().rows is rows


def test_a_folder_is_scanned_when_it_changes_and_now_and_then(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a")
    index = RunIndex(runs)
    index.listing()
    scans: list[Path] = []
    real = index_module._scan
    monkeypatch.setattr(index_module, "_scan", lambda folder: scans.append(folder) or real(folder))
    for _ in range(20):
        index.poll()
    quiet = len(scans)
    assert 5 <= quiet <= 8
    os.utime(runs)
    index.poll()
    assert len(scans) == quiet + 1


def test_the_first_picture_takes_ended_runs_as_the_index_has_them(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("a")
    make_run("b", epochs=2, finished=False)
    assert RunIndex(runs).recall() is None
    good = RunIndex(runs).listing()
    edit_tags(folder, add=["new"])
    index = RunIndex(runs)
    recalled = index.recall()
    assert recalled is not None
    assert recalled.rows == good.rows
    assert index.listing().by_id["a"].tags == ("new",)
    shutil.rmtree(folder)
    again = RunIndex(runs).recall()
    assert again is not None
    assert [row.id for row in again.rows] == ["b"]
    make_run("c")
    assert RunIndex(runs).recall() is None


def test_a_broken_index_is_said_once_and_never_recalled(make_run: Make, runs: Path) -> None:
    make_run("a")
    RunIndex(runs).listing()
    (runs / "index.json").write_text("{")
    index = RunIndex(runs)
    assert index.recall() is None
    assert len(index.listing().messages) == 1
    assert json.loads((runs / "index.json").read_text())["runs"]


def test_a_run_that_could_not_be_read_is_read_again_though_nothing_of_it_changed(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a")
    index = RunIndex(runs)
    with monkeypatch.context() as patch:  # a disk that does not answer for a moment
        patch.setattr(index_module, "summarise", lambda run, known: broken(run.path, "Input/output error"))
        assert index.listing().by_id["a"].state == "unknown"
    assert RunIndex(runs).listing().by_id["a"].state == "finished"
    assert index.poll().by_id["a"].state == "finished"
    assert index.poll().unsettled == ()


def test_a_run_that_may_no_longer_be_looked_at_is_a_row_that_says_so(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a")
    index = RunIndex(runs)
    index.listing()

    def refuse(path: Path) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:  # as where the folder of runs may not be entered
        patch.setattr(Path, "lstat", refuse)
        patch.setattr("os.path.lexists", lambda path: False)
        patch.setattr(index_module, "_signature", lambda folder: (-1,))
        assert index.poll(["a"]).by_id["a"].problem == "cannot be read: Permission denied"
    assert index.poll(["a"]).by_id["a"].state == "finished"


def test_the_row_of_a_run_calls_its_files_as_they_are_in_its_folder(make_run: Make, runs: Path) -> None:
    (make_run("a") / "config.toml").write_bytes(b"[")
    (make_run("b") / "notes.json").write_bytes(b"7")
    told = RunIndex(runs).listing().by_id
    assert (told["a"].problem or "").startswith("config.toml: ")
    assert told["a"].evidence == told["a"].problem
    assert (told["b"].problem or "").startswith("notes.json: ")
