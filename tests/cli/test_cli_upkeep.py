"""What do tag, note, star, prune, reindex, rm and restore leave behind?"""

import json
from pathlib import Path

import pytest
from typed import wbtui

from wbtui.store.notes import read_notes


def test_a_run_in_the_bin_is_said_to_be_there(
    four_runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wbtui(capsys, "rm", "dddd")[0] == 0
    code, _, err = wbtui(capsys, "show", "ddd")
    assert code == 2
    assert "in the bin; `wbtui restore dddd3333` brings it back" in err
    (removed,) = (four_runs / ".bin").iterdir()
    code, _, err = wbtui(capsys, "show", str(four_runs / removed.name))
    assert code == 2
    assert "in the bin; `wbtui restore dddd3333` brings it back" in err
    assert wbtui(capsys, "rm", "aaaa", "aabb")[0] == 0
    code, _, err = wbtui(capsys, "adjust", "aa")
    assert code == 2
    assert "in the bin are 2 such runs" in err
    monkeypatch.setenv("WBTUI_RUNS", "others")
    for named in (["ddd", "--runs", str(four_runs)], [str(four_runs / removed.name)]):
        _, _, err = wbtui(capsys, "show", *named)
        assert f"`wbtui restore dddd3333 --runs {four_runs}` brings it back" in err
    monkeypatch.delenv("WBTUI_RUNS")
    assert wbtui(capsys, "restore", "dddd3333")[0] == 0
    assert wbtui(capsys, "show", "dddd")[0] == 0


def test_a_run_that_is_named_in_two_ways_is_removed_and_restored_once(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(next(four_runs.glob("*aaaa0000")))
    code, out, err = wbtui(capsys, "rm", "aaaa", "aaaa0000", path, "aabb")
    assert (code, len(out.splitlines()), err) == (0, 2, "")
    code, out, err = wbtui(capsys, "restore", "aaaa", "aaaa0000", "aabb")
    assert (code, len(out.splitlines()), err) == (0, 2, "")


def test_tags_notes_and_stars_are_written_and_found(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = next(four_runs.glob("*aaaa0000"))
    assert wbtui(capsys, "tag", "aaaa", "+base", "+old")[0] == 0
    assert wbtui(capsys, "tag", "aaaa", "-old")[1].strip().endswith("base")
    wbtui(capsys, "note", "aaaa", "good one")
    wbtui(capsys, "star", "aaaa")
    notes = read_notes(folder)
    assert (notes.tags, notes.note, notes.star) == (("base",), "good one", True)
    _, out, _ = wbtui(capsys, "ls", "-f", "tag:base star:yes note:good")
    assert out.splitlines()[1].split()[:2] == ["*", "aaaa"]
    wbtui(capsys, "star", "aaaa", "--off")
    assert not read_notes(folder).star


def test_prune_says_what_it_would_free_and_frees_it_when_told(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = next(four_runs.glob("*dddd3333"))
    (kept / "checkpoint.pt").write_bytes(b"x" * 10)
    code, out, _ = wbtui(capsys, "prune", "--checkpoints")
    assert code == 2
    assert "3 files" in out
    assert f"left alone: {kept.name}" in out
    assert len(list(four_runs.glob("*/checkpoint.pt"))) == 4
    before = json.loads(wbtui(capsys, "ls", "--json", "-f", "aaaa")[1])[0]["size"]
    code, out, _ = wbtui(capsys, "prune", "--checkpoints", "--yes")
    assert code == 0
    assert "freed" in out
    assert [path.parent for path in four_runs.glob("*/checkpoint.pt")] == [kept]
    assert json.loads(wbtui(capsys, "ls", "--json", "-f", "aaaa")[1])[0]["size"] < before


def test_prune_can_be_held_to_named_or_filtered_runs(
    four_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wbtui(capsys, "prune", "--checkpoints", "-y", "aaaa")
    assert len(list(four_runs.glob("*/checkpoint.pt"))) == 2
    wbtui(capsys, "prune", "--checkpoints", "-y", "--filter", "variant:ce")
    assert [path.parent.name[-8:] for path in four_runs.glob("*/checkpoint.pt")] == ["aabb1111"]


def test_reindex_makes_the_index_anew(four_runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (four_runs / "index.json").write_text("broken")
    code, out, _ = wbtui(capsys, "reindex")
    assert code == 0
    assert "4 runs" in out
    assert wbtui(capsys, "ls")[2] == ""
