"""Is events.jsonl read right while it grows, cut anywhere, and whatever stands in it?"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import Make

from wbtui.store.events import EventReader, parse_event
from wbtui.store.format import MAX_LINE, Event
from wbtui.store.history import History
from wbtui.store.reader import open_run

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "epoch stage scalars vectors matrices name family width names axis attempt from_epoch outcome reason final best"
    " best_epoch kind message first_epoch"
)
field_names = st.sampled_from(FIELDS.split(" "))
event_types = st.sampled_from(
    ["start", "resume", "define", "stage", "epoch", "alert", "checkpoint", "stop", "end", "?", ""]
)
wild_events = st.builds(
    lambda head, fields: json.dumps({**fields, **head}).encode(),
    st.fixed_dictionaries(
        {
            "v": st.just(1) | json_values,
            "seq": st.integers(0, 9) | json_values,
            "type": event_types | json_values,
        },
        optional={"t": st.floats(0, 1e9) | json_values},
    ),
    st.dictionaries(field_names | st.text(max_size=5), st.integers(-2, 9) | json_values, max_size=6),
)


def write(folder: Path, data: bytes) -> Path:
    (folder / "events.jsonl").write_bytes(data)
    return folder


def poll_all(reader: EventReader, limit: int = 1 << 20) -> list[Event]:
    events: list[Event] = []
    while True:
        batch = reader.poll(limit)
        if batch.restarted:
            events.clear()
        events += batch.events
        if not batch.more:
            return events


def test_the_log_cut_at_every_byte_gives_its_whole_lines(make_run: Make, tmp_path: Path) -> None:
    data = (make_run(epochs=2) / "events.jsonl").read_bytes()
    whole = [parse_event(line) for line in data.splitlines()]
    cut = tmp_path / "cut"
    cut.mkdir()
    reader = EventReader(cut)
    grown: list[Event] = []
    for length in range(len(data) + 1):
        write(cut, data[:length])
        complete = data[:length].count(b"\n")
        assert poll_all(EventReader(cut)) == whole[:complete]
        if length % 7 == 0:  # a reader that follows the growing file sees each event once
            grown += reader.poll().events
    grown += reader.poll().events
    assert grown == whole
    assert reader.bad_lines == 0


def test_a_file_that_grows_in_place_is_read_on(make_run: Make, tmp_path: Path) -> None:
    data = (make_run() / "events.jsonl").read_bytes()
    reader = EventReader(tmp_path)
    seen: list[Event] = []
    with (tmp_path / "events.jsonl").open("ab", buffering=0) as file:
        for start in range(0, len(data), 13):
            file.write(data[start : start + 13])
            batch = reader.poll()
            assert not batch.restarted
            seen += batch.events
    assert seen == [parse_event(line) for line in data.splitlines()]
    assert reader.offset == len(data)


@pytest.mark.parametrize("limit", [1, 7, 64, 1000])
def test_a_poll_holds_no_more_than_its_limit(make_run: Make, limit: int) -> None:
    folder = make_run(epochs=1)
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert poll_all(EventReader(folder), limit) == [parse_event(line) for line in lines]


def test_truncation_and_replacement_start_anew(make_run: Make, tmp_path: Path) -> None:
    data = (make_run() / "events.jsonl").read_bytes()
    reader = EventReader(write(tmp_path, data))
    poll_all(reader)
    write(tmp_path, data[:400])  # shorter
    batch = reader.poll()
    assert batch.restarted
    assert len(batch.events) == data[:400].count(b"\n")
    other = data.replace(b'"t":1', b'"t":2')
    write(tmp_path, other + other)  # longer, but another file
    batch = reader.poll()
    assert batch.restarted
    assert len(batch.events) == 2 * data.count(b"\n")
    (tmp_path / "events.jsonl").unlink()
    assert reader.poll().restarted
    assert not reader.poll().restarted


def test_bad_lines_are_skipped_and_counted(make_run: Make, tmp_path: Path) -> None:
    lines = (make_run(epochs=1) / "events.jsonl").read_bytes().splitlines()
    bad = [
        b"\xff\xfe",
        b"{",
        b"[]",
        b'{"v":2,"seq":1,"t":1,"type":"start"}',
        b'{"v":1,"seq":-1,"t":1,"type":"x"}',
    ]
    bad += [
        b'{"v":1,"seq":1,"t":NaN,"type":"x"}',
        b"[" * 100_000,
        b'{"v":1,"seq":1,"t":1,"type":"x","a":' + b"[" * 40,
    ]
    bad += [b"x" * (MAX_LINE + 1), b'{"v":1,"seq":true,"t":1,"type":"x"}', b'{"v":1,"seq":1,"type":"x"}']
    mixed = b"\n".join(part for pair in zip(lines, bad, strict=False) for part in pair)
    rest = lines[len(bad) :]
    reader = EventReader(write(tmp_path, mixed + b"\n" + b"\n".join(rest) + b"\n"))
    assert poll_all(reader) == [parse_event(line) for line in lines]
    assert reader.bad_lines == min(len(bad), len(lines))


def test_a_line_without_end_does_not_fill_memory(make_run: Make, tmp_path: Path) -> None:
    line = (make_run() / "events.jsonl").read_bytes().splitlines()[0]
    reader = EventReader(write(tmp_path, b"x" * (5 * MAX_LINE) + b"\n" + line + b"\n"))
    assert poll_all(reader, 100_000) == [parse_event(line)]
    assert reader.bad_lines == 1


@given(st.lists(wild_events | st.binary(max_size=60), max_size=12))
def test_anything_on_a_line_is_an_event_or_skipped(lines: list[bytes]) -> None:
    history = History()
    for line in lines:
        event = parse_event(line)
        if event is not None:
            history.add(event)
    numbers = list(history.epochs)
    assert numbers == sorted(set(numbers))
    assert all(isinstance(value, float) for e in history.epochs.values() for value in e.scalars.values())
    assert all("/" not in metric.file.split("/", 1)[1] for metric in history.metrics.values())


@given(data=st.binary(max_size=400), cut=st.integers(0, 400))
def test_garbage_in_the_log_never_ends_in_an_exception(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    reader = EventReader(write(folder, data[:cut]))
    first = poll_all(reader)
    write(folder, data)
    assert all(isinstance(event, Event) for event in first + poll_all(reader))


def event(seq: int, type_: str, /, **fields: object) -> Event:
    return Event(seq, float(seq), type_, fields)


def test_a_resume_takes_back_epochs_alerts_stages_and_the_end() -> None:
    history = History()
    history.extend(
        [
            event(0, "start", attempt=1),
            event(1, "stage", stage=0, name="one", first_epoch=1),
            *(event(1 + n, "epoch", epoch=n, stage=0, scalars={"a.b": n}) for n in range(1, 5)),
            event(6, "alert", epoch=4, kind="nan", message="loss"),
            event(7, "stage", stage=1, name="two", first_epoch=4),
            event(8, "end", outcome="stopped"),
            event(9, "resume", attempt=2, from_epoch=2),
        ]
    )
    assert (list(history.epochs), history.attempt, history.end) == ([1, 2], 2, None)
    assert history.alerts == []
    assert [stage["name"] for stage in history.stages] == ["one"]
    history.add(event(10, "stage", stage=0, name="one again", first_epoch=1))
    assert [stage["name"] for stage in history.stages] == ["one again"]
    history.add(event(10, "epoch", epoch=3, stage=0, scalars={"a.b": 30}))
    assert history.epochs[3].scalars == {"a.b": 30.0}


def test_an_epoch_that_comes_again_supersedes_without_a_resume_event() -> None:
    history = History()
    history.extend([event(n, "epoch", epoch=e, scalars={"a": n}) for n, e in enumerate((1, 2, 3, 2))])
    assert {n: dict(e.scalars) for n, e in history.epochs.items()} == {1: {"a": 0.0}, 2: {"a": 3.0}}


PATHS = [
    "../../x",
    "/etc/passwd",
    "a/b",
    "A.b",
    "",
    "a..b",
    ".a",
    "a.",
    "a@class@layer",
    "a\n",
    "a\x1b",
    "ä",
    "a" * 41,
]


@pytest.mark.parametrize("name", [*PATHS, "a@other", "con:", ".".join("abcdefg")])
def test_a_metric_name_that_could_be_a_path_is_no_metric(name: str) -> None:
    history = History()
    history.add(event(0, "define", name=name, family="x", axis="class", width=2))
    history.add(event(1, "epoch", epoch=1, scalars={name: 1.0}))
    assert history.metrics == {}
    assert history.epochs[1].scalars == {}


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 6)), max_size=25))
def test_history_is_what_a_plain_list_says(steps: list[tuple[bool, int]]) -> None:
    """Against an independent account: a list of numbers that resumes and repeated epochs cut."""
    history, expected = History(), []
    for seq, (resume, number) in enumerate(steps):
        if resume:
            history.add(event(seq, "resume", attempt=seq + 1, from_epoch=number))
            expected = [e for e in expected if e <= number]
        else:
            history.add(event(seq, "epoch", epoch=number + 1))
            expected = [e for e in expected if e <= number] + [number + 1]
    assert list(history.epochs) == expected


def test_a_run_that_is_followed_sees_a_resume(make_run: Make) -> None:
    from wbtui.store.writer import RunWriter

    folder = make_run(finished=False)
    run = open_run(folder)
    assert run.history.last_epoch == 6
    with RunWriter.open(folder, attempt=2) as writer:
        writer.resume(4)
        assert run.history.last_epoch == 4
        writer.epoch(5, 0, {"test.fdr": 50.0})
    epochs, values = run.scalars("test.fdr")
    assert list(epochs) == [1, 2, 3, 4, 5]
    assert np.isnan(values[0])
    assert list(values[1:]) == [2, 3, 4, 50]
