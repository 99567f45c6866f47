"""How long did a run work, when what lies between its attempts is left out?"""

import pytest

from wbtui.store.format import Event
from wbtui.store.history import History


def history_of(*events: tuple[float, str, dict[str, object]]) -> History:
    history = History()
    history.extend(Event(seq, time, type, fields) for seq, (time, type, fields) in enumerate(events))
    return history


def epoch(time: float, number: int) -> tuple[float, str, dict[str, object]]:
    return time, "epoch", {"epoch": number, "stage": 0, "scalars": {}}


def test_a_pause_between_attempts_is_no_work() -> None:
    history = history_of(
        (100.0, "start", {}),
        epoch(110.0, 1),
        epoch(120.0, 2),
        (121.0, "end", {"outcome": "stopped"}),
        (5000.0, "alert", {"kind": "identity", "message": "another GPU"}),  # comes before its attempt
        (5001.0, "resume", {"attempt": 2, "from_epoch": 2}),
        epoch(5013.0, 3),
        epoch(5023.0, 4),
    )
    assert [one.worked for one in history.epochs.values()] == [10.0, 20.0, 33.0, 43.0]
    assert [one.attempt for one in history.epochs.values()] == [1, 1, 2, 2]
    assert history.work == {1: 21.0, 2: 22.0}
    assert history.worked == 43.0


def test_work_that_a_kill_lost_was_work_all_the_same() -> None:
    history = history_of(
        (0.0, "start", {}),
        epoch(10.0, 1),
        epoch(20.0, 2),
        (1000.0, "resume", {"attempt": 2, "from_epoch": 1}),
        epoch(1010.0, 2),
    )
    assert [one.worked for one in history.epochs.values()] == [10.0, 30.0]


@pytest.mark.parametrize("begun", [(), ((0.0, "start", {}),)])
def test_a_clock_set_back_or_a_lost_beginning_leaves_no_negative_work(begun) -> None:  # type: ignore[no-untyped-def]
    history = history_of(*begun, epoch(10.0, 1), epoch(5.0, 2), epoch(12.0, 3))
    worked = [one.worked for one in history.epochs.values()]
    assert worked == sorted(worked)
    assert worked[0] >= 0.0
    assert worked[-1] == (12.0 if begun else 2.0)
