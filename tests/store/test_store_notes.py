"""Do several writers of notes lose nothing, and can strangers' notes do no harm?"""

import errno
import json
import multiprocessing
import os
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.errors import UsageError
from wbtui.store.errors import StoreReadError, StoreWriteError
from wbtui.store.format import Notes
from wbtui.store.notes import edit_tags, read_notes, set_note, set_star


def test_fields_change_one_by_one(tmp_path: Path) -> None:
    assert read_notes(tmp_path) == Notes()
    set_note(tmp_path, "two\nlines, ümlaut, \x1b kept")
    edit_tags(tmp_path, add=["b", "a", "a"])
    set_star(tmp_path, True)
    assert edit_tags(tmp_path, add=["c"], remove=["b", "never"]) == read_notes(tmp_path)
    assert read_notes(tmp_path) == Notes("two\nlines, ümlaut, \x1b kept", ("a", "c"), True)


@pytest.mark.parametrize("tag", ["", "a b", "x" * 61, "\x1b[31m", "a\n", "a,b"])
def test_a_tag_that_cannot_be_typed_again_is_refused(tmp_path: Path, tag: str) -> None:
    with pytest.raises(UsageError, match="expected 1 to 60 characters"):
        edit_tags(tmp_path, add=[tag])
    assert not (tmp_path / "notes.json").exists()


def test_a_tag_too_many_is_refused_and_none_is_lost(tmp_path: Path) -> None:
    tags = tuple(f"t{number:03d}" for number in range(100))
    edit_tags(tmp_path, add=tags)
    with pytest.raises(UsageError, match="101 tags; expected at most 100"):
        edit_tags(tmp_path, add=["a"])
    assert read_notes(tmp_path).tags == tags
    assert edit_tags(tmp_path, add=["a"], remove=["t000"]).tags == ("a", *tags[1:])


def test_a_tag_on_a_run_that_is_gone_leaves_no_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(StoreWriteError):
        edit_tags(tmp_path / "gone", add=["x"])
    assert not (tmp_path / "gone").exists()


def test_a_note_has_a_limit(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at most 20000"):
        set_note(tmp_path, "x" * 20_001)


def test_a_note_of_another_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a text that UTF-8 can write"):
        set_note(tmp_path, "gr\udcf6sser")  # what Python makes of a byte of Latin-1
    assert not (tmp_path / "notes.json").exists()


def test_broken_notes_are_replaced_by_the_next_change(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("{")
    with pytest.raises(StoreReadError):
        read_notes(tmp_path)
    assert set_star(tmp_path, True) == Notes(star=True) == read_notes(tmp_path)


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE, errno.EACCES, errno.ESTALE])
def test_notes_that_the_disk_does_not_give_now_are_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    set_note(tmp_path, "a week's thoughts")
    real = os.open

    def refuse(path: str, flags: int, *more: int, **named: int) -> int:
        if path == "notes.json":
            raise OSError(number, os.strerror(number))
        return real(path, flags, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr("wbtui.store.bounded.os.open", refuse)
        with pytest.raises(StoreReadError, match=os.strerror(number)):
            edit_tags(tmp_path, add=["base"])
    assert read_notes(tmp_path) == Notes(note="a week's thoughts")


def test_a_link_in_the_place_of_notes_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("{}")
    (tmp_path / "notes.json").symlink_to(tmp_path / "elsewhere")
    assert set_star(tmp_path, True) == read_notes(tmp_path)
    assert (tmp_path / "elsewhere").read_text() == "{}"


@given(
    st.binary(max_size=80)
    | st.builds(
        lambda v: json.dumps(v).encode(),
        st.dictionaries(
            st.sampled_from(["note", "tags", "star", "version"]),
            st.none()
            | st.integers()
            | st.text()
            | st.lists(st.integers() | st.text(), max_size=4)
            | st.booleans(),
        ),
    )
)
def test_any_notes_file_reads_as_notes_or_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "notes.json").write_bytes(data)
    try:
        notes = read_notes(folder)
    except StoreReadError:
        return
    assert isinstance(notes.note, str)
    assert isinstance(notes.star, bool)
    assert all(isinstance(tag, str) for tag in notes.tags)


WRITERS, ROUNDS = 3, 30  # a run has 100 tags at most


def _write_notes(folder: Path, who: int, together: Barrier) -> None:
    together.wait(timeout=120)
    for n in range(ROUNDS):
        edit_tags(folder, add=[f"{who}-{n}"])
        if who == 0:
            set_note(folder, f"note {n}")
        if who == 1:
            set_star(folder, True)


def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    together = context.Barrier(WRITERS)
    writers = [context.Process(target=_write_notes, args=(tmp_path, who, together)) for who in range(WRITERS)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        read_notes(tmp_path)  # always whole
        time.sleep(0.002)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    notes = read_notes(tmp_path)
    assert (notes.star, notes.note) == (True, f"note {ROUNDS - 1}")
    assert set(notes.tags) == {f"{who}-{n}" for who in range(WRITERS) for n in range(ROUNDS)}
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []
