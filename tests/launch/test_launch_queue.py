"""The queue on disk, its slots and its grids, without a process."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wbtui.cli.queue_table import print_queue
from wbtui.errors import UsageError
from wbtui.launch import queue_files, slots
from wbtui.launch.grid import MOST_RUNS, expand, split_list, split_seeds
from wbtui.launch.queue_files import QueueSettings
from wbtui.launch.refused import RefusedError
from wbtui.launch.start import make_run
from wbtui.launch.stop import Rung, check_stop
from wbtui.launch.worker import look, peek, step
from wbtui.presets import resolve
from wbtui.store.errors import StoreWriteError
from wbtui.store.facts import host, process_info
from wbtui.store.format import ProcessInfo, Result
from wbtui.store.housekeeping import remove_run, restore_run
from wbtui.store.lock import RUN_LOCK, locked
from wbtui.store.reader import open_run
from wbtui.store.records import HeartbeatWriter, read_result, request_stop, write_process, write_result


def made(runs: Path, count: int, device: str = "auto") -> list[Path]:
    return [
        make_run(runs, resolve("digits_lt", options={"seed": seed, "device": device}))
        for seed in range(count)
    ]


def waiting(runs: Path) -> list[Path]:
    with queue_files.editing(runs):
        return [entry.folder for entry in look(runs)[1]]


def test_queued_runs_wait_in_the_order_they_came(tmp_path: Path) -> None:
    first, second, third = made(tmp_path, 3)
    queue_files.enqueue(tmp_path, [second, first])
    queue_files.enqueue(tmp_path, [third], retries=2)
    assert waiting(tmp_path) == [second, first, third]
    assert open_run(third).state().name == "queued"
    ticket = queue_files.read_ticket(third)
    assert ticket is not None
    assert ticket.retries == 2


@settings(max_examples=50)
@given(places=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=8))
def test_moving_a_run_shifts_the_others_and_loses_none(
    tmp_path_factory: pytest.TempPathFactory, places: list[tuple[int, int]]
) -> None:
    runs = tmp_path_factory.mktemp("runs")
    folders = [runs / f"20261123-114500-digits_lt-wd-s{seed}-0000000{seed}" for seed in range(4)]
    for folder in folders:
        folder.mkdir()
        (folder / "config.toml").write_text("")
    queue_files.enqueue(runs, folders)
    expected = list(folders)
    for which, position in places:
        with queue_files.editing(runs):
            _, entries = look(runs)
            moved = next(entry for entry in entries if entry.folder == folders[which])
            queue_files.reorder(entries, moved, position)
        expected.remove(folders[which])
        expected.insert(position - 1, folders[which])
    assert waiting(runs) == expected


def test_a_run_that_was_never_started_goes_to_the_bin_and_one_with_epochs_stays(tmp_path: Path) -> None:
    fresh, begun = made(tmp_path, 2)
    (begun / "attempts" / "1").mkdir(parents=True)
    queue_files.enqueue(tmp_path, [fresh, begun])
    assert queue_files.take_out(fresh) is True
    assert not fresh.exists()
    assert restore_run(tmp_path, fresh.name) == fresh
    assert queue_files.take_out(begun) is False
    assert open_run(begun).state().name == "stopped"
    assert queue_files.take_out(begun) is None


def test_a_withdrawn_run_is_stopped_and_can_be_removed_and_restored(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder])
    assert queue_files.withdraw(folder)
    assert open_run(folder).state().name == "stopped"
    assert not queue_files.withdraw(folder)
    assert waiting(tmp_path) == []
    remove_run(tmp_path, folder.name)
    assert restore_run(tmp_path, folder.name) == folder


def test_a_run_that_another_host_works_on_is_not_taken_out_of_the_queue(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder])
    write_process(folder, replace(process_info(1, pid=os.getpid()), host="elsewhere"))
    HeartbeatWriter(folder).beat("training", epoch=1)
    assert open_run(folder).state().name == "running"
    assert queue_files.take_out(folder) is None
    assert read_result(folder) is None
    assert waiting(tmp_path) == []
    assert (folder / "queue.json").exists()


def test_a_run_of_another_host_that_is_silent_keeps_its_slot_until_somebody_takes_it_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can see whether its host is dead or cut off."""
    folder, next_one = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [folder, next_one])
    write_process(folder, replace(process_info(1, pid=os.getpid()), host="elsewhere", written=1.0))
    assert waiting(tmp_path) == [next_one]
    print_queue(tmp_path)
    tail = folder.name.rsplit("-", 1)[-1][:4]
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.startswith(f"{tail} may be at work and keeps its slot: no heartbeat; on host elsewhere, ")
    assert f"`wbtui queue remove {tail} --runs " in said
    with locked(folder / RUN_LOCK) as held:
        assert held
        assert queue_files.take_out(folder) is None
    assert queue_files.take_out(folder) is False
    assert [entry.folder for each in look(tmp_path) for entry in each] == [next_one]
    assert (read_result(folder), open_run(folder).state().name) == (None, "unknown")


def test_a_run_that_a_killed_worker_has_just_sent_a_waiter_to_is_not_taken_out_of_the_queue(
    tmp_path: Path,
) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder])
    with locked(folder / RUN_LOCK) as held:
        assert held
        assert queue_files.take_out(folder) is None
    assert read_result(folder) is None
    assert queue_files.take_out(folder) is True


def test_a_queue_is_shown_without_a_lock_and_left_as_it_is(tmp_path: Path) -> None:
    works, ended, waits = folders = made(tmp_path, 3)
    queue_files.enqueue(tmp_path, folders)
    write_process(works, replace(process_info(1, pid=os.getpid()), host="elsewhere"))
    HeartbeatWriter(works).beat("training", epoch=1)
    write_result(ended, Result(1, "finished", "all epochs done"))
    with queue_files.editing(tmp_path):  # somebody else, for as long as it likes
        working, waiting_now = peek(tmp_path)
    assert ([entry.folder for entry in working], [entry.folder for entry in waiting_now]) == (
        [works],
        [waits],
    )
    assert (ended / "queue.json").exists()


def test_a_run_of_another_container_waits_again_when_its_lock_is_free(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder], retries=1)
    dead = replace(process_info(1, pid=2**22 - 1, waiter_pid=2**22 - 2), pid_namespace="pid:[1]", written=1.0)
    write_process(folder, dead)
    assert open_run(folder).state().name == "queued"
    assert [entry.folder for entry in look(tmp_path)[1]] == [folder]
    with locked(folder / RUN_LOCK) as held:
        assert held
        working, waits = look(tmp_path)
        assert ([entry.folder for entry in working], waits) == ([folder], [])


def test_a_paused_queue_starts_nothing(tmp_path: Path) -> None:
    queue_files.enqueue(tmp_path, made(tmp_path, 1))
    with queue_files.editing(tmp_path):
        queue_files.write_settings(tmp_path, QueueSettings(paused=True, slots={"cpu": 2}))
        assert queue_files.read_settings(tmp_path) == QueueSettings(paused=True, slots={"cpu": 2})
        assert step(tmp_path) is False
    assert len(waiting(tmp_path)) == 1


def test_a_run_that_no_slot_can_take_waits_without_keeping_a_worker(tmp_path: Path) -> None:
    queue_files.enqueue(tmp_path, made(tmp_path, 1, device="cuda:3"))
    with queue_files.editing(tmp_path):
        queue_files.write_settings(tmp_path, QueueSettings(slots={"cpu": 2}))
        assert step(tmp_path) is False
    assert len(waiting(tmp_path)) == 1


def test_a_run_that_cannot_start_fails_and_leaves_the_queue(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder])
    (folder / "config.toml").write_text("seed = 'x'\n")
    with queue_files.editing(tmp_path):
        step(tmp_path)
    result = read_result(folder)
    assert result is not None
    assert result.outcome == "failed"
    assert "seed" in result.reason
    assert waiting(tmp_path) == []


@pytest.mark.parametrize("recorded", [True, False], ids=["its_end_recorded", "its_waiter_dead_too"])
def test_a_run_that_was_asked_to_stop_and_crashed_is_not_started_again(
    tmp_path: Path, recorded: bool
) -> None:
    asked, other = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [asked, other], retries=1)
    for folder in (asked, other):
        write_process(folder, ProcessInfo(1, host(), pid=2**22 + 1, created=1.0))
        if recorded:
            write_result(folder, Result(1, "crashed", "killed by signal 11 (SIGSEGV)", signal=11))
    request_stop(asked)
    assert waiting(tmp_path) == [other]
    assert open_run(asked).state().name == "crashed"


def test_a_crashed_run_that_waits_to_be_tried_again_is_taken_out_of_the_queue(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder], retries=1)
    write_process(folder, ProcessInfo(1, host(), pid=2**22 + 1, created=1.0))
    write_result(folder, Result(1, "crashed", "killed by signal 11 (SIGSEGV)", signal=11))
    assert waiting(tmp_path) == [folder]
    with pytest.raises(RefusedError, match=f"`wbtui queue remove {folder.name[-8:]} --runs .*` takes it out"):
        check_stop(folder, Rung.ASK)
    assert queue_files.take_out(folder) is False
    assert waiting(tmp_path) == []
    assert open_run(folder).state().name == "crashed"
    with pytest.raises(RefusedError, match=r": crashed already$"):
        check_stop(folder, Rung.ASK)
    assert queue_files.take_out(folder) is None


def test_a_crashed_run_that_is_removed_while_it_waits_to_be_tried_again_does_not_go_on_when_it_is_restored(
    tmp_path: Path,
) -> None:
    (folder,) = made(tmp_path, 1)
    queue_files.enqueue(tmp_path, [folder], retries=1)
    write_result(folder, Result(1, "crashed", "killed by signal 11 (SIGSEGV)", signal=11))
    assert waiting(tmp_path) == [folder]
    remove_run(tmp_path, folder.name)
    assert restore_run(tmp_path, folder.name) == folder
    assert waiting(tmp_path) == []
    assert open_run(folder).state().name == "crashed"


def test_a_stop_of_an_attempt_before_it_was_queued_holds_no_run_back(tmp_path: Path) -> None:
    (folder,) = made(tmp_path, 1)
    (folder / "attempts" / "1").mkdir(parents=True)
    request_stop(folder)
    queue_files.enqueue(tmp_path, [folder])
    assert waiting(tmp_path) == [folder]


def test_a_run_that_cannot_be_read_for_a_moment_keeps_its_place(tmp_path: Path) -> None:
    first, second = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [first, second])
    (first / "events.jsonl").mkdir()  # no plain file: as little to be read as on a disk that does not answer
    assert waiting(tmp_path) == [second]
    (first / "events.jsonl").rmdir()
    assert waiting(tmp_path) == [first, second]


def test_a_run_whose_folder_cannot_be_written_holds_nobody_up_and_is_complained_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, ours = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [theirs, ours])
    started = []
    monkeypatch.setattr("wbtui.launch.worker.start_run", lambda folder, *_: started.append(folder))
    real = queue_files.write_ticket

    def write(folder: Path, ticket: queue_files.Ticket) -> None:
        if folder == theirs:
            raise StoreWriteError(folder / "queue.json", PermissionError(errno.EACCES, ""))
        real(folder, ticket)

    monkeypatch.setattr(queue_files, "write_ticket", write)
    with queue_files.editing(tmp_path):
        assert step(tmp_path) is True
        assert step(tmp_path) is True
    assert started[0] == ours
    assert theirs not in started
    assert capsys.readouterr().err.count(str(theirs)) == 1
    assert waiting(tmp_path) == [theirs, ours]


def test_an_ended_run_that_cannot_be_taken_off_the_queue_holds_nobody_up(tmp_path: Path) -> None:
    ended, waits = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [waits])
    (ended / "queue.json").mkdir()  # cannot be unlinked
    write_result(ended, Result(1, "finished", "all epochs done"))
    assert waiting(tmp_path) == [waits]


def test_broken_queue_files_are_read_as_the_last_place_and_default_settings(tmp_path: Path) -> None:
    first, second = made(tmp_path, 2)
    queue_files.enqueue(tmp_path, [first, second])
    (first / "queue.json").write_text("{")
    (tmp_path / ".queue" / "settings.json").write_text('{"slots": {"cpu": "many"}, "paused": 1}')
    assert waiting(tmp_path) == [second, first]
    assert queue_files.read_settings(tmp_path) == QueueSettings()


def test_slots_of_a_settings_file_that_no_run_could_be_given_are_none(tmp_path: Path) -> None:
    """Somebody wrote it by hand: the worker ended in a traceback, or hid the GPU from the run."""
    (tmp_path / ".queue").mkdir()
    slots_of = '{"slots": {"cuda:x": 1, "cuda": 2, "cpu": 1}}'
    (tmp_path / ".queue" / "settings.json").write_text(slots_of)
    assert dict(queue_files.read_settings(tmp_path).slots) == {"cpu": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cuda:0=2,cpu=1", {"cuda:0": 2, "cpu": 1}),
        ("3", {"auto": 3}),
        (" mps=1 ", {"mps": 1}),
        ("auto=2", {"auto": 2}),
    ],
)
def test_slots_are_read_as_typed(text: str, expected: dict[str, int]) -> None:
    assert slots.parse_slots(text) == expected


@pytest.mark.parametrize(
    "text", ["", "cuda=1", "cpu=0", "cpu=x", "gpu:0=1", "cpu=1,cpu=2", "cuda:=1", "-1", "cpu"]
)
def test_wrong_slots_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--slots"):
        slots.parse_slots(text)


def test_slots_taken_are_not_free_and_gpus_are_offered_first() -> None:
    assert slots.free_slots({"cpu": 1, "cuda:0": 2}, [("cuda:0", "auto")]) == ["cuda:0", "cpu"]
    assert slots.free_slots({"cpu": 1}, [("cpu", "cpu"), ("cpu", "cpu")]) == []


@pytest.mark.parametrize(
    ("there", "taken", "free"),
    [
        ({"auto": 2}, [("cuda:1", "auto")], ["auto"]),
        ({"cpu": 2}, [("auto", "auto")], ["cpu"]),
        ({"cuda:0": 1, "cpu": 1}, [("auto", "cpu")], ["cuda:0"]),
        ({"cuda:0": 1, "cpu": 1}, [("auto", "auto"), ("cuda:0", "auto")], []),
        ({"cuda:0": 1, "auto": 1}, [("cpu", "auto"), ("cpu", "auto")], ["cuda:0"]),
    ],
)
def test_a_run_whose_slot_was_taken_away_counts_where_it_is(
    there: dict[str, int], taken: list[tuple[str, str]], free: list[str]
) -> None:
    assert slots.free_slots(there, taken) == free


@pytest.mark.parametrize(
    ("slot", "device", "expected"),
    [
        ("auto", "cuda:1", True),
        ("cpu", "auto", True),
        ("cpu", "cpu", True),
        ("cpu", "cuda", False),
        ("cuda:1", "cuda", True),
        ("cuda:1", "cuda:1", True),
        ("cuda:1", "cuda:0", False),
        ("cuda:1", "cpu", False),
    ],
)
def test_a_run_goes_only_where_its_configuration_allows(slot: str, device: str, expected: bool) -> None:
    assert slots.fits(slot, device) is expected


def test_a_slots_gpu_is_the_only_one_its_run_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert slots.slot_environment("cuda:1", "auto") == {"CUDA_VISIBLE_DEVICES": "1"}
    assert slots.slot_environment("cpu", "auto") == {"CUDA_VISIBLE_DEVICES": ""}
    assert slots.slot_environment("cuda:1", "cuda:1") == {}
    assert slots.slot_environment("auto", "auto") == {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, GPU-7f")
    assert slots.slot_environment("cuda:1", "cuda") == {"CUDA_VISIBLE_DEVICES": "GPU-7f"}


def test_lists_multiply_with_seeds_innermost() -> None:
    points = expand("ce,wd", "0,1", ["stages.0.weight_decay=1e-3,2e-3", "threads=1"])
    assert len(points) == 8
    assert [(p.variant, p.settings[0], p.seed) for p in points[:3]] == [
        ("ce", "stages.0.weight_decay=1e-3", "0"),
        ("ce", "stages.0.weight_decay=1e-3", "1"),
        ("ce", "stages.0.weight_decay=2e-3", "0"),
    ]
    assert {p.settings[1] for p in points} == {"threads=1"}


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-2", ["0", "1", "2"]),
        ("7,10-11, 3", ["7", "10", "11", "3"]),
        ("4-4", ["4"]),
        ("2-0", ["2-0"]),
        ("-1", ["-1"]),
        ("1-x", ["1-x"]),
        ("", [""]),
    ],
)
def test_a_range_of_seeds_is_each_of_them(text: str, seeds: list[str]) -> None:
    assert split_seeds(text) == seeds
    assert [point.seed for point in expand("", text, [])] == seeds


def test_a_list_valued_key_keeps_its_brackets() -> None:
    assert split_list("[0.1,0.2],[0.3, 0.4]") == ["[0.1,0.2]", "[0.3, 0.4]"]
    assert split_list('"a,b",c') == ['"a,b"', "c"]
    assert [p.settings for p in expand("", "", ["data.mean=[0.1,0.2,0.3]"])] == [("data.mean=[0.1,0.2,0.3]",)]


@given(st.lists(st.text("abc=.[]0", min_size=1), min_size=1))
def test_what_has_no_comma_outside_brackets_is_one_value(parts: list[str]) -> None:
    balanced = [part for part in parts if part.count("[") == part.count("]") == 0]
    assert split_list(",".join(balanced)) == (balanced or [""])


@pytest.mark.parametrize(
    ("variant", "seed", "values"),
    [
        ("ce,,wd", "", []),
        ("", "0,0", []),
        ("", "0,", []),
        ("", "0-2,1", []),
        ("", "0-99999999", []),
        ("", ",".join(map(str, range(MOST_RUNS + 1))), []),
    ],
)
def test_grids_that_make_no_sense_are_refused(variant: str, seed: str, values: list[str]) -> None:
    with pytest.raises(UsageError):
        expand(variant, seed, values)
