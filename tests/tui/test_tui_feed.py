"""Is the screen told what is new, soon and no more often than that?"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dashboard_helpers import make_run

from wbtui.errors import UsageError
from wbtui.store.index import RunIndex
from wbtui.store.notes import edit_tags
from wbtui.store.reader import Run
from wbtui.tui.detail import _Rows
from wbtui.tui.feed import Feed, Wanted
from wbtui.tui.machine import MachineSampler
from wbtui.tui.snapshots import Snapshot, other_rows


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_stale_index_is_shown_first_and_set_right_at_once(tmp_path: Path) -> None:
    folders = [make_run(tmp_path, number) for number in range(3)]
    RunIndex(tmp_path).listing()
    edit_tags(folders[0], add=["new"])
    told: list[Snapshot] = []
    feed = Feed(tmp_path, told.append, pytest.fail)
    feed.start()
    try:
        until(lambda: told and told[-1].by_id[folders[0].name].tags == ("new",))
    finally:
        feed.close()
    assert told[0].by_id[folders[0].name].tags == ()
    assert [row.id for row in told[0].rows] == sorted(folder.name for folder in folders)


def test_no_load_of_the_machine_is_told_before_there_was_time_to_measure_it() -> None:
    sampler = MachineSampler()
    assert (sampler.sample(), sampler.sample()) == (None, None)


def test_of_runs_that_have_ended_nothing_is_read_or_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path)
    told: list[Snapshot] = []
    feed = Feed(tmp_path, told.append, lambda _: None)
    wanted = Wanted((folder.name,), frozenset({"test.feature_norm@class"}))
    feed.want(wanted)
    for _ in range(3):
        listing = feed._listing()
        assert listing is not None
        feed._publish(listing)
    count, read = len(told), []
    monkeypatch.setattr(feed, "_detail", lambda *_: read.append(1))
    for _ in range(5):
        listing = feed._listing()
        assert listing is not None
        feed._publish(listing)
    assert (len(told), read) == (count, [])
    assert told[-1].details[folder.name].vectors["test.feature_norm@class"].shape[0] == 5
    feed.want(Wanted(()))
    listing = feed._listing()
    assert listing is not None
    feed._publish(listing)
    assert told[-1].details == {}


def test_the_page_of_a_run_keeps_its_events_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(tmp_path, outcome=None)
    kept: list[Run] = []
    monkeypatch.setattr("wbtui.tui.feed.Run", lambda path: kept.append(Run(path)) or kept[-1])
    feed = Feed(tmp_path, lambda _: None, pytest.fail)
    feed.want(Wanted((folder.name,), files=folder.name))
    listing = feed._listing()
    assert listing is not None
    feed._publish(listing)
    assert feed._last.files is not None
    assert [run.id for run in kept] == [folder.name]


def test_a_folder_that_cannot_be_listed_is_said_until_it_can_and_then_all_is_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path)
    told: list[Snapshot] = []
    feed = Feed(tmp_path, told.append, pytest.fail)
    feed.want(Wanted((folder.name,)))
    feed.start()
    try:
        until(lambda: told and folder.name in told[-1].details)
        before, polls = told[-1].rows, []

        def refuse(runs: Path) -> dict[str, bool]:
            polls.append(runs)
            raise UsageError("cannot be listed")

        with monkeypatch.context() as patch:
            patch.setattr("wbtui.store.index._scan", refuse)
            patch.setattr("wbtui.store.index._SCAN_EVERY", 0)
            until(lambda: len(polls) > 2)
            assert told[-1].problem == "cannot be listed"
        until(lambda: not told[-1].problem)
        assert (told[-1].rows, list(told[-1].details)) == (before, [folder.name])
    finally:
        feed.close()


def test_rows_that_were_handed_out_stay_as_they_were() -> None:
    rows = _Rows(2)
    views, expected = [], np.zeros((0, 2), dtype=np.float32)
    for count in (0, 3, 1, 40, 2):
        more = np.arange(2 * count, dtype=np.float32).reshape(count, 2) + len(expected)
        rows.extend(more)
        expected = np.concatenate([expected, more])
        views.append((rows.view(), expected.copy()))
    for view, then in views:
        assert np.array_equal(view, then)
        assert not view.flags.writeable


def test_other_rows_are_those_that_are_no_longer_the_same_objects(tmp_path: Path) -> None:
    for number in range(3):
        make_run(tmp_path, number)
    rows = RunIndex(tmp_path).listing().rows
    assert other_rows(rows, rows) == []
    again = RunIndex(tmp_path).listing().rows
    assert other_rows(rows, (rows[0], again[1], rows[2])) == [again[1]]
    assert other_rows(rows[:2], rows) == [rows[2]]
    assert other_rows((), rows) == list(rows)
