"""Is a run's state what docs/run-state.md says, row by row?"""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from wbtui.store import facts as facts_module
from wbtui.store import records
from wbtui.store.facts import Facts, Liveness, gather_facts, heartbeat_age, process_info, same_creation
from wbtui.store.format import TERMINAL, Heartbeat, Outcome, Phase, ProcessInfo, Result, RunState
from wbtui.store.history import End
from wbtui.store.lock import RUN_LOCK, locked
from wbtui.store.state import derive_state

HOURS = 7200.0
PROCESS = ProcessInfo(attempt=1, host="here", pid=2213, created=1000.0)
WITH_WAITER = replace(PROCESS, waiter_pid=2212, waiter_created=999.0)
UNSTARTED = replace(WITH_WAITER, pid=None, created=None)
NOBODY = replace(PROCESS, pid=None, created=None)
BROKEN = ("result.json: not JSON",)


def beat(
    phase: Phase = "training", batch: int | None = 7, still: float = 0.0, step: float = 0.1, attempt: int = 1
) -> Heartbeat:
    return Heartbeat(attempt, 2213, phase, 3, batch, 100.0, step, 5000.0, still)


def result(outcome: Outcome, attempt: int = 1) -> Result:
    return Result(attempt, outcome, "because")


def living(age: float | None = 2.0, heartbeat: Heartbeat | None = None, **more: object) -> Facts:
    if age is None:
        return replace(Facts(process=PROCESS, trainer="alive", process_age=2.0), **more)
    known = Facts(
        process=PROCESS, trainer="alive", heartbeat=heartbeat or beat(), heartbeat_age=age, process_age=HOURS
    )
    return replace(known, **more)


def dead(how: Liveness = "gone", **more: object) -> Facts:
    return replace(Facts(process=PROCESS, trainer=how, process_age=HOURS), **more)


def elsewhere(age: float | None = None, **more: object) -> Facts:
    heartbeat = None if age is None else beat()
    known = Facts(process=PROCESS, place="host", heartbeat=heartbeat, heartbeat_age=age, process_age=HOURS)
    return replace(known, **more)


def contained(age: float | None = None, **more: object) -> Facts:
    return replace(elsewhere(age), **{"place": "container", "process": WITH_WAITER, **more})


FINISHED, FAILED = End("finished", "all epochs done"), End("failed", "a loss that is NaN")

CASES: dict[str, tuple[Facts, str]] = {
    "result_finished": (dead(result=result("finished")), "finished"),
    "result_beside_living_trainer": (living(result=result("finished")), "finished"),
    "result_stopped": (dead(result=result("stopped")), "stopped"),
    "result_failed": (dead(result=result("failed")), "failed"),
    "result_crashed": (dead(result=result("crashed")), "crashed"),
    "result_of_earlier_attempt": (
        living(result=result("stopped"), process=replace(PROCESS, attempt=2), heartbeat=beat(attempt=2)),
        "running",
    ),
    "result_older_than_events": (
        Facts(result=result("stopped"), events_attempt=2, heartbeat=beat(attempt=2), heartbeat_age=2.0),
        "running",
    ),
    "result_half_written_trainer_gone": (dead(problems=BROKEN), "crashed"),
    "result_half_written_trainer_alive": (living(problems=BROKEN), "running"),
    "end_event_trainer_gone": (dead(end=FINISHED, events_attempt=1), "finished"),
    "end_event_trainer_zombie": (dead("zombie", end=FAILED, events_attempt=1), "failed"),
    "end_event_trainer_alive": (living(end=FINISHED, events_attempt=1), "ending"),
    "end_event_of_failure_trainer_alive": (living(end=FAILED, events_attempt=1), "ending"),
    "end_event_of_stop_trainer_alive": (living(end=End("stopped"), events_attempt=1), "stopping"),
    "end_event_on_other_host": (elsewhere(end=FINISHED, events_attempt=1), "finished"),
    "end_event_of_earlier_attempt": (
        dead(end=FINISHED, events_attempt=1, process=replace(PROCESS, attempt=2)),
        "crashed",
    ),
    "queued": (Facts(queued=True), "queued"),
    "queued_again_after_dead_attempt": (dead(queued=True), "queued"),
    "queue_file_beside_living_trainer": (living(queued=True), "running"),
    "queued_at_work_on_other_host": (elsewhere(5.0, queued=True), "running"),
    "queued_starting_on_other_host": (elsewhere(queued=True, process_age=2.0), "starting"),
    "queued_silent_on_other_host": (elsewhere(600.0, queued=True), "unknown"),
    "new_folder": (Facts(folder_age=3.0), "starting"),
    "old_untouched_folder": (Facts(folder_age=HOURS), "unknown"),
    "folder_gone": (Facts(folder_gone=True), "unknown"),
    "waiter_without_trainer": (Facts(process=UNSTARTED, waiter="alive"), "starting"),
    "waiter_without_trainer_stop": (
        Facts(process=UNSTARTED, waiter="alive", stop_requested=True),
        "stopping",
    ),
    "waiter_died_before_trainer": (Facts(process=UNSTARTED, waiter="gone"), "crashed"),
    "process_without_any_pid": (Facts(process=NOBODY, process_age=3.0), "starting"),
    "process_without_any_pid_old": (Facts(process=NOBODY, process_age=HOURS), "crashed"),
    "alive_no_heartbeat_yet": (living(None), "starting"),
    "alive_no_heartbeat_stop": (living(None, stop_requested=True), "stopping"),
    "alive_never_a_heartbeat": (living(None, process_age=130.0), "stalled"),
    "alive_heartbeat_of_earlier_attempt": (
        living(500.0, process=replace(PROCESS, attempt=2), process_age=2.0),
        "starting",
    ),
    "alive_heartbeat_half_written": (living(None, problems=("heartbeat.json: not JSON",)), "starting"),
    "loading_data": (living(heartbeat=beat("data", None)), "starting"),
    "loading_data_for_long": (living(heartbeat=beat("data", None, still=600.0)), "starting"),
    "training": (living(), "running"),
    "training_heartbeat_29_s": (living(29.0), "running"),
    "heartbeat_old": (living(31.0), "stalled"),
    "heartbeat_old_and_stop": (living(31.0, stop_requested=True), "stalled"),
    "batch_stands_still": (living(0.0, beat(still=121.0)), "stalled"),
    "batch_slow_by_nature": (living(0.0, beat(still=121.0, step=10.0)), "running"),
    "batch_slower_than_20_steps": (living(0.0, beat(still=201.0, step=10.0)), "stalled"),
    "evaluation_takes_long": (living(heartbeat=beat("evaluation", still=600.0)), "running"),
    "stop_requested": (living(stop_requested=True), "stopping"),
    "ending": (living(heartbeat=beat("ending", None)), "ending"),
    "ending_after_stop": (living(heartbeat=beat("ending", None), stop_requested=True), "stopping"),
    "clock_set_back": (living(-3600.0), "running"),
    "trainer_gone": (dead(), "crashed"),
    "trainer_and_waiter_gone": (dead(process=WITH_WAITER, waiter="gone"), "crashed"),
    "trainer_gone_waiter_alive": (dead(process=WITH_WAITER, waiter="alive"), "ending"),
    "trainer_gone_waiter_alive_stop": (
        dead(process=WITH_WAITER, waiter="alive", stop_requested=True),
        "stopping",
    ),
    "pid_reused": (dead("other"), "crashed"),
    "zombie": (dead("zombie"), "crashed"),
    "zombie_waiter_alive": (dead("zombie", process=WITH_WAITER, waiter="alive"), "ending"),
    "rebooted": (dead("rebooted"), "crashed"),
    "rebooted_heartbeat_fresh": (dead("rebooted", heartbeat=beat(), heartbeat_age=5.0), "crashed"),
    "hidden_heartbeat_fresh": (living(trainer="hidden"), "running"),
    "hidden_heartbeat_old": (living(600.0, trainer="hidden"), "unknown"),
    "other_host_heartbeat_fresh": (elsewhere(2.0), "running"),
    "other_host_stop": (elsewhere(2.0, stop_requested=True), "stopping"),
    "other_host_heartbeat_old": (elsewhere(31.0), "unknown"),
    "other_host_clock_ahead": (elsewhere(-3600.0), "unknown"),
    "other_host_starting": (elsewhere(process_age=2.0), "starting"),
    "other_host_silent": (elsewhere(), "unknown"),
    "other_container_heartbeat_fresh": (contained(5.0), "running"),
    "other_container_without_waiter": (contained(5.0, process=PROCESS, unlocked=True), "running"),
    "other_container_starting": (contained(process_age=2.0, unlocked=True), "starting"),
    "other_container_heartbeat_old": (contained(600.0), "unknown"),
    "other_container_gone": (contained(600.0, unlocked=True), "crashed"),
    "other_container_gone_before_heartbeat": (contained(unlocked=True), "crashed"),
    "other_container_gone_without_waiter": (contained(600.0, process=PROCESS, unlocked=True), "unknown"),
    "queued_in_other_container_gone": (contained(600.0, queued=True, unlocked=True), "queued"),
    "process_half_written_heartbeat_fresh": (
        Facts(heartbeat=beat(), heartbeat_age=2.0, problems=("process.json: not JSON",)),
        "running",
    ),
    "process_half_written_heartbeat_old": (
        Facts(heartbeat=beat(), heartbeat_age=HOURS, problems=("process.json: not JSON",)),
        "unknown",
    ),
    "events_only": (Facts(events_attempt=1, folder_age=HOURS), "unknown"),
}


@pytest.mark.parametrize("case", CASES)
def test_state_follows_the_table(case: str) -> None:
    known, expected = CASES[case]
    state = derive_state(known)
    assert state.name == expected
    assert state.evidence
    for problem in known.problems:
        assert problem in state.evidence


def test_the_document_has_the_same_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "run-state.md").read_text("utf-8")
    table = text.split("<!-- state-table -->")[1].split("<!-- /state-table -->")[0]
    rows = re.findall(r"^\| (\w+) \| .+ \| (\w+) \|$", table, re.MULTILINE)
    assert [row for row in rows if row[0] != "case"] == [(case, CASES[case][1]) for case in CASES]


def test_only_certain_ends_are_settled() -> None:
    settled = {case for case, (known, _) in CASES.items() if derive_state(known).settled}
    assert {"result_finished", "trainer_gone", "pid_reused", "rebooted", "zombie"} <= settled
    assert not settled & {"other_host_silent", "training", "queued", "end_event_on_other_host"}
    assert all(CASES[case][1] in TERMINAL for case in settled)


def test_evidence_is_harmless_to_a_terminal() -> None:
    state = derive_state(Facts(result=Result(1, "failed", "\x1b]0;owned\x07 \u202egnp")))
    assert state.evidence.isprintable()


@pytest.fixture
def sleeper() -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
    yield child
    child.kill()
    child.wait()


def test_a_living_process_is_recognised(sleeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    process = process_info(1, pid=sleeper.pid)
    records.write_process(tmp_path, process)
    began = time.monotonic()
    records.HeartbeatWriter(tmp_path).beat("training", 1, 5)
    found = gather_facts(tmp_path)
    taken = time.monotonic() - began
    assert found.process == process
    assert found.trainer == "alive"
    assert found.heartbeat_age is not None
    assert 0 <= found.heartbeat_age <= taken
    assert derive_state(found).name == "running"


def test_a_killed_process_is_a_zombie_then_gone(sleeper: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    process = process_info(1, pid=sleeper.pid)
    sleeper.kill()
    until = time.monotonic() + 60
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < until:
        time.sleep(0.01)
    assert facts_module.trainer_liveness(process) == "zombie"
    sleeper.wait()
    assert facts_module.trainer_liveness(process) == "gone"


def test_a_reused_pid_is_another_program() -> None:
    mine = process_info(1, pid=os.getpid())
    assert facts_module.trainer_liveness(mine) == "alive"
    assert mine.created is not None
    assert facts_module.trainer_liveness(replace(mine, created=mine.created - 100)) == "other"


def test_another_boot_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = replace(process_info(1, pid=os.getpid()), boot_id="a-boot")
    monkeypatch.setattr(facts_module, "boot_id", lambda: "another-boot")
    assert facts_module.trainer_liveness(mine) == "rebooted"


def test_a_clock_that_is_set_does_not_make_another_process() -> None:
    recorded = ProcessInfo(1, "here", pid=1, created=5000.0, boot_time=4000.0, boot_id="b")
    assert same_creation(recorded, 5000.0, 5000.0 - 3600, 4000.0 - 3600)
    assert not same_creation(recorded, 5000.0, 5100.0, 4000.0)
    assert not same_creation(replace(recorded, boot_id=""), 5000.0, 5000.0 - 3600, 4000.0 - 3600)


def test_heartbeat_age_is_monotonic_on_the_same_boot() -> None:
    heartbeat = replace(beat(), monotonic=100.0)
    assert heartbeat_age(heartbeat, now=1400.0, monotonic=104.0) == 4.0
    assert heartbeat_age(heartbeat, now=1400.0, monotonic=None) == -3600.0


def test_another_host_is_judged_by_heartbeat_alone(tmp_path: Path) -> None:
    records.write_process(tmp_path, replace(process_info(1, pid=os.getpid()), host="gpu7"))
    records.HeartbeatWriter(tmp_path).beat("training", 1, 5)
    state = derive_state(gather_facts(tmp_path))
    assert (state.name, "gpu7" in state.evidence) == ("running", True)


def in_another_container(**more: object) -> ProcessInfo:
    return replace(process_info(1, pid=2**22 - 1, waiter_pid=2**22 - 2), pid_namespace="pid:[1]", **more)


def test_in_another_container_pids_mean_nothing_but_the_lock_does(tmp_path: Path) -> None:
    if not facts_module.pid_namespace():
        pytest.skip("this kernel has no pid namespaces")
    records.write_process(tmp_path, in_another_container())
    records.HeartbeatWriter(tmp_path).beat("training", 1, 5)
    state = derive_state(gather_facts(tmp_path))
    assert (state.name, "container" in state.evidence) == ("running", True)
    old = gather_facts(tmp_path)
    assert derive_state(replace(old, heartbeat_age=600.0)).name == "crashed"
    with locked(tmp_path / RUN_LOCK) as held:
        assert held
        kept = gather_facts(tmp_path)
        assert derive_state(replace(kept, heartbeat_age=600.0)).name == "unknown"


def test_a_container_of_an_earlier_boot_is_dead(tmp_path: Path) -> None:
    records.write_process(tmp_path, in_another_container(boot_id="an-earlier-boot"))
    assert derive_state(gather_facts(tmp_path)).name == "crashed"


@pytest.mark.parametrize("name", ["process.json", "result.json", "heartbeat.json"])
def test_a_half_written_file_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'{"attempt": 1, "ho')
    found = gather_facts(tmp_path)
    assert len(found.problems) == 1
    assert name in derive_state(found).evidence


def test_a_folder_without_config_counts_from_its_own_age_and_a_lost_one_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    assert derive_state(gather_facts(folder)).name == "starting"
    os.utime(folder, (1, 1))
    assert derive_state(gather_facts(folder)).name == "unknown"
    folder.rmdir()
    assert derive_state(gather_facts(folder)) == RunState("unknown", "its folder is gone")


def test_a_run_that_ends_while_it_is_looked_at_has_not_crashed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def ends(_: ProcessInfo) -> Liveness:
        """Between two looks the waiter writes result.json and is gone."""
        records.write_result(tmp_path, result("finished"))
        return "gone"

    records.write_process(tmp_path, process_info(1, pid=os.getpid(), waiter_pid=os.getpid()))
    monkeypatch.setattr(facts_module, "trainer_liveness", ends)
    monkeypatch.setattr(facts_module, "waiter_liveness", ends)
    assert derive_state(gather_facts(tmp_path)).name == "finished"


def test_a_pid_no_machine_has_is_dead(tmp_path: Path) -> None:
    records.write_process(tmp_path, replace(process_info(1, pid=2**31 - 1), created=5.0))
    assert gather_facts(tmp_path).trainer == "gone"
