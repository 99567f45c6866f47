"""What is a run doing, and how is that known? A pure function; docs/run-state.md is its table in words."""

from wbtui.store.facts import Facts
from wbtui.store.format import Heartbeat, ProcessInfo, RunState, StateName
from wbtui.store.text import plain

HEARTBEAT_LIMIT = 30.0
"""Seconds after which a heartbeat is old; one comes every 5."""
STANDSTILL_LIMIT = 120.0
"""Seconds without progress, at least, before a run counts as stalled."""
STANDSTILL_STEPS = 20
"""... and median steps, whichever is longer."""
START_LIMIT = 120.0
"""Seconds until the first heartbeat is due."""
FOLDER_LIMIT = 60.0
"""Seconds in which a new folder's process.json is due."""
_PERHAPS_ALIVE = ("alive", "hidden")
_DEAD = ("zombie", "gone", "other", "rebooted")


def derive_state(facts: Facts) -> RunState:
    """The state that these facts show, with the evidence in words.

    Args:
        facts: See `facts.gather_facts`.
    """
    process, result, end = facts.process, facts.result, facts.end
    attempt = max(facts.events_attempt, process.attempt if process else 0)
    if result is not None and result.attempt >= attempt:
        return RunState(
            result.outcome, f"result.json: {_said(result.reason) or result.outcome}", settled=True
        )
    if end is not None and facts.events_attempt >= attempt and facts.trainer not in _PERHAPS_ALIVE:
        return RunState(
            end.outcome,
            f"the trainer's end event: {_said(end.reason) or end.outcome}; no result.json",
            settled=facts.trainer in _DEAD and facts.waiter not in _PERHAPS_ALIVE,
        )
    alive = facts.trainer in _PERHAPS_ALIVE or facts.waiter in _PERHAPS_ALIVE
    elsewhere = None
    if process is not None and facts.place != "here":
        elsewhere = _elsewhere(facts, process)
    if facts.queued and not alive and (elsewhere is None or elsewhere.name == "crashed"):
        return RunState("queued", "queue.json waits")
    if process is None:
        state = _without_process(facts)
    elif elsewhere:
        state = elsewhere
    elif facts.trainer == "alive":
        state = _alive(facts, process)
    elif facts.trainer == "hidden":
        state = _by_heartbeat_alone(facts, f"pid {process.pid} is there but may not be looked at")
    else:
        state = _dead(facts, process)
    return RunState(state.name, "; ".join((state.evidence, *facts.problems)), state.settled)


def _said(text: str) -> str:
    return plain(text[:300])


def _own_heartbeat(facts: Facts, attempt: int) -> tuple[Heartbeat, float] | None:
    if facts.heartbeat is None or facts.heartbeat_age is None or facts.heartbeat.attempt < attempt:
        return None
    return facts.heartbeat, facts.heartbeat_age


def _seconds(seconds: float) -> str:
    if abs(seconds) < 180:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if abs(seconds) < 10800 else f"{seconds / 3600:.0f} h"


def _phase_state(heartbeat: Heartbeat, stop_requested: bool) -> StateName:
    if stop_requested or heartbeat.phase == "ending":
        return _over(stop_requested)
    return "starting" if heartbeat.phase in ("starting", "data") else "running"


def _over(stop_requested: bool) -> StateName:
    """What a run does that is about to be over: it was asked to stop, or it ends by itself."""
    return "stopping" if stop_requested else "ending"


def _alive(facts: Facts, process: ProcessInfo) -> RunState:
    who = f"pid {process.pid} alive"
    if facts.end is not None and facts.events_attempt >= process.attempt:
        return RunState(_over(facts.end.outcome == "stopped"), f"{who}, its end event is written")
    stop = ", stop requested" if facts.stop_requested else ""
    own = _own_heartbeat(facts, process.attempt)
    if own is None:
        name: StateName = "stalled" if facts.process_age > START_LIMIT else "starting"
        name = "stopping" if name == "starting" and stop else name
        return RunState(name, f"{who}, no heartbeat {_seconds(facts.process_age)} after its start{stop}")
    heartbeat, age = own
    if age > HEARTBEAT_LIMIT:
        return RunState("stalled", f"heartbeat {_seconds(age)} old, {who}{stop}")
    still = heartbeat.still_seconds + max(0.0, age)
    limit = max(STANDSTILL_LIMIT, STANDSTILL_STEPS * heartbeat.median_step_seconds)
    if heartbeat.batch is not None and heartbeat.phase != "evaluation" and still > limit:
        return RunState(
            "stalled",
            f"batch {heartbeat.batch} has stood still for {_seconds(still)}, {heartbeat.phase}, {who}{stop}",
        )
    return RunState(
        _phase_state(heartbeat, facts.stop_requested), f"heartbeat {_seconds(max(0.0, age))} old, {who}{stop}"
    )


_GONE = {
    "none": "its trainer was never started",
    "zombie": "pid {pid} is a zombie",
    "gone": "pid {pid} is gone",
    "other": "pid {pid} now belongs to another program",
    "rebooted": "the machine was restarted since",
}


def _dead(facts: Facts, process: ProcessInfo) -> RunState:
    how = _GONE[facts.trainer].format(pid=process.pid)
    if facts.waiter in _PERHAPS_ALIVE:
        waiter = f"waiter {process.waiter_pid} alive"
        if process.pid is not None:
            return RunState(_over(facts.stop_requested), f"{how}, {waiter} and about to write result.json")
        return RunState(
            "stopping" if facts.stop_requested else "starting", f"trainer not started yet, {waiter}"
        )
    if process.pid is None and process.waiter_pid is None and facts.process_age < FOLDER_LIMIT:
        return RunState("starting", f"process.json {_seconds(facts.process_age)} old, no pid yet")
    if facts.waiter == "none":
        return RunState("crashed", f"{how}, no result.json and no end event", settled=True)
    return RunState("crashed", f"{how}, its waiter too; no result.json and no end event", settled=True)


def _without_process(facts: Facts) -> RunState:
    if facts.folder_gone:
        return RunState("unknown", "its folder is gone")
    if facts.heartbeat is not None:
        return _by_heartbeat_alone(facts, "no usable process.json")
    if facts.events_attempt == 0 and facts.folder_age < FOLDER_LIMIT:
        return RunState("starting", f"folder {_seconds(facts.folder_age)} old, no process.json yet")
    return RunState("unknown", "no usable process.json, heartbeat.json or result.json")


def _elsewhere(facts: Facts, process: ProcessInfo) -> RunState:
    if facts.place == "host":
        return _by_heartbeat_alone(
            facts, f"on host {plain(process.host)}, which cannot be looked at from here"
        )
    state = _by_heartbeat_alone(
        facts, "in another container of this host, which cannot be looked at from here"
    )
    # Without a waiter nobody ever held the lock. With one, containers share the kernel that takes it back.
    if state.name == "unknown" and facts.unlocked and process.waiter_pid is not None:
        return RunState("crashed", f"{state.evidence}; nobody holds its lock any more")
    return state


def _by_heartbeat_alone(facts: Facts, why: str) -> RunState:
    own = _own_heartbeat(facts, facts.process.attempt if facts.process else facts.events_attempt)
    if own is None:
        young = facts.process is not None and facts.process_age < START_LIMIT
        return RunState("starting" if young else "unknown", f"no heartbeat; {why}")
    heartbeat, age = own
    if abs(age) > HEARTBEAT_LIMIT:
        when = f"{_seconds(age)} old" if age > 0 else f"{_seconds(-age)} in the future"
        return RunState("unknown", f"heartbeat {when}; {why}")
    return RunState(
        _phase_state(heartbeat, facts.stop_requested), f"heartbeat {_seconds(max(0.0, age))} old; {why}"
    )
