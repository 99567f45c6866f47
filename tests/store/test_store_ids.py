"""Does what a person types mean the run they mean?"""

import os
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.config import RunConfig
from wbtui.errors import UsageError
from wbtui.store.ids import create_run, new_id, resolve_id, resolve_run, run_ids, short_ids
from wbtui.store.index import RunIndex

IDS = [
    "20261123-114500-cifar10_lt-wd-s0-7f3a91c2",
    "20261123-114501-cifar10_lt-wd-s1-7f3b0000",
    "20261124-090000-cifar100_lt-ce-s0-02d1aaaa",
]


def test_an_id_says_when_what_and_which() -> None:
    berlin = timezone(timedelta(hours=1))
    run_id = new_id("cifar10_lt", "wd", 0, datetime(2026, 11, 23, 12, 45, tzinfo=berlin))
    assert re.fullmatch(r"20261123-114500-cifar10_lt-wd-s0-[0-9a-f]{8}", run_id)
    assert "-custom-custom-s5-" in new_id("", "", 5)
    assert "/" not in new_id("../../x", "a-b c", 0)


@pytest.mark.parametrize(
    ("text", "index"),
    [
        (IDS[0], 0),
        ("7f3a91c2", 0),
        ("7f3a", 0),
        ("7f3b", 1),
        ("91c2", 0),
        ("0000", 1),
        ("0", 2),
        ("20261124", 2),
        ("aaaa", 2),
        ("@last", 2),
        ("@last-0", 2),
        ("@last-2", 0),
    ],
)
def test_a_unique_beginning_or_end_is_enough(text: str, index: int) -> None:
    if text == "0":
        with pytest.raises(UsageError):
            resolve_id(IDS, text, "runs")
    else:
        assert resolve_id(IDS, text, "runs") == IDS[index]


def test_several_are_listed() -> None:
    with pytest.raises(UsageError, match=r"means 2 runs in runs.*7f3a91c2.*7f3b0000"):
        resolve_id(IDS, "7f3", "runs")


@pytest.mark.parametrize("text", ["7f3a91c3", "", "zzz", "@last-3", "@lost", "\x1b[31m", "a" * 5000])
def test_an_unknown_one_names_the_nearest(text: str) -> None:
    with pytest.raises(UsageError, match="runs") as caught:
        resolve_id(IDS, text, "runs")
    assert str(caught.value).isprintable()
    if text == "7f3a91c3":
        assert IDS[0] in str(caught.value)


def test_a_folder_that_is_no_run_is_not_the_last_one(tmp_path: Path) -> None:
    folder = create_run(tmp_path, RunConfig())
    (tmp_path / "figures").mkdir()
    assert resolve_run(tmp_path, "@last") == folder
    assert resolve_run(tmp_path, "figures") == tmp_path / "figures"  # by its name it can still be removed
    with pytest.raises(UsageError, match=r"has one run; expected @last$"):
        resolve_run(tmp_path, "@last-1")


def test_of_runs_of_one_second_the_one_made_last_is_the_last(tmp_path: Path) -> None:
    second = ["20261123-114500-digits_lt-wd-s1-7f3a91c2", "20261123-114500-digits_lt-ce-s0-02d1aaaa"]
    for made, name in enumerate(["20261123-114501-digits_lt-ce-s0-00000000", *second]):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.toml").touch()
        os.utime(tmp_path / name / "config.toml", ns=(0, made))
    assert [resolve_run(tmp_path, f"@last-{back}").name for back in (1, 2)] == second[::-1]


def test_no_runs_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no runs here"):
        resolve_run(tmp_path / "runs", "@last")


@pytest.mark.parametrize(
    "text", ["~nobody-of-this-name", "~nobody-of-this-name/x", "a/b", "a/\0", "a/" + 300 * "x"]
)
def test_a_path_of_no_run_is_one_message(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        resolve_run(tmp_path, text)


@given(st.text(max_size=30))
def test_whatever_is_typed_gives_a_run_or_a_message(text: str) -> None:
    try:
        found = resolve_id(IDS, text, "runs")
    except UsageError:
        return
    assert found in IDS


def test_short_ids_are_unique_and_resolve() -> None:
    shorts = [short_ids(IDS)[run_id] for run_id in IDS]
    assert shorts == ["7f3a", "7f3b", "02d1"]
    assert [resolve_id(IDS, short, "runs") for short in shorts] == IDS
    twins = ["a-11112222", "b-11112222"]
    assert [resolve_id(twins, short_ids(twins)[name], "runs") for name in twins] == twins


def test_a_folder_is_made_and_found_again(runs: Path) -> None:
    folder = create_run(runs, RunConfig(preset="p", variant="v", seed=4))
    assert run_ids(runs) == [folder.name]
    assert resolve_run(runs, folder.name[-8:]) == folder
    assert resolve_run(runs / "elsewhere", str(folder)) == folder
    with pytest.raises(UsageError, match="not a run folder"):
        resolve_run(runs, "./nothing")


def test_an_existing_folder_is_never_touched(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from wbtui.store import ids
    from wbtui.store.errors import StoreWriteError

    monkeypatch.setattr(ids, "new_id", lambda *_: "taken")
    (runs / "taken").mkdir()
    with pytest.raises(StoreWriteError, match="File exists"):
        create_run(runs, RunConfig())
    assert list((runs / "taken").iterdir()) == []


def test_links_hidden_folders_and_files_are_no_runs(runs: Path) -> None:
    (runs / "real").mkdir()
    (runs / ".bin").mkdir()
    (runs / "index.json").touch()
    (runs / "link").symlink_to(runs / "real")
    assert run_ids(runs) == ["real"]


def test_a_file_in_the_place_of_the_folder_of_runs_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    wanted = re.escape(f"--runs {file}: this is a file, not a folder")
    with pytest.raises(UsageError, match=wanted):
        create_run(file, RunConfig())
    with pytest.raises(UsageError, match=wanted):
        run_ids(file)
    with pytest.raises(UsageError, match=wanted):
        RunIndex(file).listing()
