"""Does a run folder made by somebody hostile, or cut anywhere, end in a typed message and nothing else?"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import Make

from wbtui.errors import UsageError
from wbtui.store import bounded, jsonio
from wbtui.store.errors import StoreReadError
from wbtui.store.format import STATES
from wbtui.store.reader import Run, open_run
from wbtui.store.summary import summarise
from wbtui.store.text import plain

QUESTIONS: tuple[Callable[[Run], object], ...] = (
    lambda run: run.config,
    lambda run: run.run_config(),
    lambda run: run.provenance,
    lambda run: run.epochs,
    lambda run: run.metrics,
    lambda run: [
        run.series(name) for name, metric in run.metrics.items() if metric.axis in ("class", "layer")
    ],
    lambda run: [run.matrix(name) for name, metric in run.metrics.items() if metric.axis == "matrix"],
    lambda run: [run.scalars(name) for name in run.metrics],
    lambda run: run.predictions("test"),
    lambda run: run.predictions("../test"),
    lambda run: run.classifier(),
    lambda run: run.predictions_meta(),
    lambda run: run.process,
    lambda run: run.heartbeat,
    lambda run: run.result,
    lambda run: run.notes,
    lambda run: run.state(),
    lambda run: run.log_tail(),
    lambda run: run.system_samples(),
    lambda run: run.derived(),
)
NAMES = (
    "config.toml provenance.json process.json heartbeat.json result.json notes.json events.jsonl system.jsonl "
    "output.log predictions/meta.json predictions/test_logits.npy predictions/test_labels.npy "
    "predictions/train_counts.npy series/test.accuracy@class.f32 matrices/test.cosine.f32 derived/a.json"
)
FILES = NAMES.split(" ")


def ask_everything(folder: Path) -> list[str]:
    """The messages that a reader of everything gets; any other exception fails the test."""
    messages = []
    run = Run(folder)
    for question in QUESTIONS:
        try:
            question(run)
        except UsageError as error:
            messages.append(str(error))
    row = summarise(Run(folder))
    assert row.state in STATES
    assert all(text.isprintable() for text in (row.evidence, row.problem or "", row.preset, row.name))
    return messages


@pytest.fixture
def folder(make_run: Make) -> Path:
    made = make_run()
    for name in ("provenance.json", "process.json", "heartbeat.json", "notes.json"):
        (made / name).write_text("{}")
    (made / "derived").mkdir()
    (made / "derived" / "a.json").write_text("{}")
    (made / "system.jsonl").write_text('{"t": 1}\n')
    (made / "output.log").write_text("hello\n")
    return made


def replace_by(path: Path, what: str) -> None:
    path.unlink()
    if what == "nothing":
        return
    if what == "empty":
        path.touch()
    elif what == "garbage":
        path.write_bytes(bytes(range(256)) * 40)
    elif what == "deep":
        path.write_bytes(b'{"a":' * 50_000 + b"\n" + b"[" * 50_000)
    elif what == "deep_toml":
        path.write_bytes(b"a=" + b"[" * 50_000)
    elif what == "link":
        path.symlink_to("/etc/passwd")
    elif what == "circle":
        path.symlink_to(path)
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)  # opened carelessly, it waits for ever
    elif what == "giant":
        path.touch()
        os.truncate(path, 10 << 40)
    elif what == "unreadable":
        path.touch()
        path.chmod(0)
    elif what == "wrong_types":
        path.write_text(
            json.dumps({key: [{"a": None}] for key in ("attempt", "pid", "epoch", "note", "tags", "v")})
        )


WHAT = "nothing empty garbage deep deep_toml link circle folder pipe giant unreadable wrong_types"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("what", WHAT.split(" "))
def test_any_file_may_be_anything(folder: Path, what: str, tmp_path: Path) -> None:
    secret = Path("/etc/passwd").read_text("utf-8").splitlines()[0]
    for name in FILES:
        kept = (folder / name).read_bytes()
        replace_by(folder / name, what)
        messages = ask_everything(folder)
        assert all(message.replace("\n", "").isprintable() for message in messages)
        assert not any(secret in message for message in messages)
        if (folder / name).is_dir() and not (folder / name).is_symlink():
            (folder / name).rmdir()
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(kept)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith((".json", ".toml"))])
def test_a_small_file_cut_at_every_byte(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    for length in range(len(data)):
        (folder / name).write_bytes(data[:length])
        ask_everything(folder)


@pytest.mark.parametrize("name", ["series", "matrices", "predictions", "derived"])
def test_a_linked_folder_is_not_followed(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    messages = ask_everything(folder)
    assert any("cannot be read" in message for message in messages)


@given(st.dictionaries(st.sampled_from(FILES[:9]), st.binary(max_size=100), max_size=3))
def test_garbage_in_several_files(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]
) -> None:
    folder = tmp_path_factory.mktemp("garbage")
    (folder / "config.toml").write_text("seed = 1\n")
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    ask_everything(folder)


FIELDS = (
    "attempt pid created waiter_pid waiter_created process_group boot_time boot_id host written phase epoch batch time "
    "still_seconds monotonic outcome reason signal exit_code final best best_epoch started ended median_step_seconds "
    "images_per_second"
)
records = st.dictionaries(
    st.sampled_from(FIELDS.split(" ")),
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.integers(0, 9)
    | st.floats(allow_nan=False)
    | st.sampled_from(["training", "finished", "inf", "-inf", "\x1b[2J", "\ud800", ""])
    | st.dictionaries(st.text(max_size=3), st.floats(allow_nan=False), max_size=2),
)


@given(process=records, heartbeat=records, result=records)
def test_records_of_any_types(
    tmp_path_factory: pytest.TempPathFactory, process: object, heartbeat: object, result: object
) -> None:
    folder = tmp_path_factory.mktemp("records")
    (folder / "config.toml").write_text("seed = 1\n")
    for name, value in (("process", process), ("heartbeat", heartbeat), ("result", result)):
        (folder / f"{name}.json").write_text(json.dumps(value))
    ask_everything(folder)


def test_a_folder_that_vanishes_is_said(folder: Path) -> None:
    import shutil

    run = open_run(folder)
    assert run.history.last_epoch == 6
    shutil.rmtree(folder)
    for question in QUESTIONS:
        try:
            question(run)
        except UsageError as error:
            assert "Traceback" not in str(error)  # noqa: PT017  either is right, an untyped exception is not
    with pytest.raises(FileNotFoundError):
        summarise(run)


@pytest.mark.parametrize(
    "name", ["../x", "/x", "a//b", "", ".", "..", "a/../b", "a\x00b", "a\nb", "a\\b", "\u202ea"]
)
def test_a_name_that_leads_elsewhere_is_not_opened(tmp_path: Path, name: str) -> None:
    assert not bounded.safe_relative(name)
    with pytest.raises(StoreReadError):
        bounded.open_regular(tmp_path, name)


def test_a_size_limit_is_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": "' + "x" * 100 + '"}')
    with pytest.raises(StoreReadError, match="at most 50"):
        bounded.read_bytes(tmp_path, "a.json", 50)


@given(st.text())
def test_plain_text_does_nothing_to_a_terminal(text: str) -> None:
    shown = plain(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in shown)
    assert not any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in shown)
    shown.encode()
    if text.isascii() and text.isprintable():
        assert shown == text


def test_plain_text_keeps_what_is_meant() -> None:
    assert plain("τ × γ — 日本語 😀 [red]") == "τ × γ — 日本語 😀 [red]"
    assert plain("a\nb\tc", lines=True) == "a\nb\tc"
    assert plain("a\nb\tc\x9b31m\u202e") == "a<U+000A>b<U+0009>c<U+009B>31m<U+202E>"


numbers = st.floats() | st.integers(-(2**70), 2**70)


@given(st.dictionaries(st.text(max_size=5), numbers))
def test_numbers_come_back_from_json(values: dict[str, float]) -> None:
    data = jsonio.encode(values)
    assert b"NaN" not in data.replace(json.dumps(list(values)).encode(), b"") or any(
        "NaN" in key for key in values
    )
    back = jsonio.numbers(jsonio.decode(data))
    assert back.keys() == values.keys()
    for key, value in values.items():
        assert back[key] == float(value) or (value != value and back[key] != back[key])


@pytest.mark.parametrize(
    "data", [b"NaN", b"[Infinity]", b'{"a": -Infinity}', b"[" * 33 + b"]" * 33, b"\xff", b"[1,"]
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each has its own reason
        jsonio.decode(data)


def test_brackets_in_text_are_not_depth() -> None:
    assert jsonio.decode(json.dumps(["[" * 100]).encode()) == ["[" * 100]
