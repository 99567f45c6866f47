"""Which of the runs of one setting count? Each seed once, finished runs before others; the rest is said. Pure."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from wbtui.store.reader import Run
from wbtui.store.text import plain

T = TypeVar("T")
_TWICE = 2


@dataclass(frozen=True)
class Candidate:
    """What decides whether a run counts."""

    id: str
    """Of runs of one seed that with the last id is the newest: ids begin with the time."""

    seed: Hashable
    """None: not known; such a run stands for itself."""

    state: str

    measured: bool
    """Whether there are figures of it."""


@dataclass(frozen=True, eq=False)
class Counted(Generic[T]):
    """The runs of one setting, divided."""

    runs: tuple[T, ...]
    """One a seed, in the order they were given: these are averaged, and n is their number."""

    others: tuple[T, ...]
    """Those that do not count."""

    repeated: tuple[tuple[Candidate, ...], ...]
    """For each seed that was run more than once its runs, the newest, which counts, last."""

    left_out: tuple[Candidate, ...]
    """Runs that have not finished, beside others that have."""


def candidate(run: Run) -> Candidate:
    """What decides whether a run counts, one with figures.

    Raises:
        StoreReadError: its configuration cannot be read.
    """
    seed = run.config.get("seed")
    return Candidate(run.id, None if seed is None else repr(seed), run.state().name, measured=True)


def one_a_seed(runs: Sequence[T], facts: Callable[[T], Candidate]) -> Counted[T]:
    """Choose the runs that count: of each seed the newest of those that finished.

    Where none has finished it is the newest with figures; where none has any, the newest.

    Args:
        runs: of one setting.
        facts: what is known of each; runs with one id are one run and go together.
    """
    known = [facts(run) for run in runs]
    finished = [one for one in known if one.state == "finished"]
    pool = finished or [one for one in known if one.measured] or known
    by_seed: dict[Hashable, dict[str, Candidate]] = {}
    for one in sorted(pool, key=lambda one: one.id):
        by_seed.setdefault((one.seed, "" if one.seed is not None else one.id), {})[one.id] = one
    newest = {next(reversed(alike)) for alike in by_seed.values()}
    return Counted(
        tuple(run for run, one in zip(runs, known, strict=True) if one.id in newest),
        tuple(run for run, one in zip(runs, known, strict=True) if one.id not in newest),
        tuple(tuple(alike.values()) for alike in by_seed.values() if len(alike) > 1),
        tuple({one.id: one for one in known if finished and one.state != "finished"}.values()),
    )


def sentences(label: str, counted: Counted[T], short: Mapping[str, str]) -> tuple[str, ...]:
    """What a reader must know of the runs that do not count.

    Args:
        label: of the setting.
        counted: its runs.
        short: run id → short id, as far as there are any.
    """
    said = []
    for runs in counted.repeated:
        names = [_called(one, short) for one in runs]
        twice = len(runs) == _TWICE
        times = "twice" if twice else f"{len(runs)} times"
        said.append(
            f"{label}: seed {plain(str(runs[0].seed))} was run {times} ({', '.join(names)}); "
            f"the {'newer' if twice else 'newest'}, {names[-1]}, counts"
        )
    if counted.left_out:
        states = ", ".join(f"{_called(one, short)} is {one.state}" for one in counted.left_out)
        said.append(f"{label}: left out, not finished: {states}")
    return tuple(said)


def _called(one: Candidate, short: Mapping[str, str]) -> str:
    return plain(short.get(one.id, one.id))
