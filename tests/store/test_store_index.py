"""Does the list of runs stay right, fast and whole, whatever happens to the index and to the folders?"""

import json
import multiprocessing
import os
import shutil
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import CONFIG, Make, Opened, measure

from wbtui.store import index as index_module
from wbtui.store import records
from wbtui.store import summary as summary_module
from wbtui.store.facts import process_info
from wbtui.store.format import Result
from wbtui.store.index import Listing, RunIndex
from wbtui.store.index_rows import INDEX_VERSION
from wbtui.store.notes import edit_tags, set_note, set_star
from wbtui.store.reader import Run
from wbtui.store.setting import setting_digest
from wbtui.store.summary import RunSummary
from wbtui.store.summary_row import from_row, to_row
from wbtui.store.writer import RunWriter

SIGNATURE = 6
"""Files that a signature is made of."""
RUN_FILES = {"events.jsonl", "result.json", "notes.json", "process.json", "config.toml", "heartbeat.json"}


def row(listing: Listing, name: str) -> RunSummary:
    return next(row for row in listing.rows if row.id == name)


def test_a_row_says_what_the_folder_says(make_run: Make, runs: Path) -> None:
    folder = make_run("a")
    set_note(folder, "good")
    edit_tags(folder, add=["base"])
    set_star(folder, True)
    (folder / "derived").mkdir()
    (folder / "derived" / "x.json").write_text("{}")
    found = row(RunIndex(runs).listing(), "a")
    assert (found.preset, found.variant, found.seed, found.name, found.model) == (
        "tiny",
        "wd",
        7,
        "mine",
        "mlp",
    )
    assert (found.weight_decay, found.imbalance_factor) == (0.005, 10.0)
    assert (found.state, found.settled, found.epoch, found.total_epochs) == ("finished", True, 6, 6)
    assert (found.accuracy_all, found.accuracy_few, found.fdr) == (0.6, 0.3, 6.0)
    assert (found.accuracy_many, found.bn_scale) == (None, None)
    assert found.best_epoch == 3
    assert found.best["test.accuracy.all"] == 0.3
    assert found.trend == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    assert (found.tags, found.note, found.star, found.derived) == (("base",), "good", True, 1)
    assert found.size > 1000
    assert found.problem is None
    assert 0 < found.started <= found.updated


def test_data_with_their_own_counts_have_no_imbalance_factor(make_run: Make, runs: Path) -> None:
    config = make_run("a") / "config.toml"
    config.write_text(config.read_text().replace("imbalance_factor", 'profile = "natural"\nimbalance_factor'))
    assert row(RunIndex(runs).listing(), "a").imbalance_factor is None


def test_final_figures_of_the_result_win_over_the_last_epoch(make_run: Make, runs: Path) -> None:
    records.write_result(make_run("a"), Result(1, "finished", "", final={"test.accuracy.all": 0.55}))
    assert row(RunIndex(runs).listing(), "a").accuracy_all == 0.55


def test_a_run_whose_events_are_cut_or_gone_tells_how_far_it_came(make_run: Make, runs: Path) -> None:
    folder = make_run("a")
    records.write_result(folder, Result(1, "finished", "", epoch=6))
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True)
    epochs = [number for number, line in enumerate(lines) if b'"epoch"' in line]
    (folder / "events.jsonl").write_bytes(b"".join(lines[: epochs[2]]))
    found = row(RunIndex(runs).listing(), "a")
    assert (found.epoch, found.total_epochs) == (6, 6)
    assert found.problem == "events.jsonl ends at epoch 2, the run at 6"
    (folder / "events.jsonl").write_bytes(b"".join(line for line in lines if b'"epoch"' not in line))
    kept_without_series = row(RunIndex(runs).listing(), "a")
    assert (kept_without_series.epoch, kept_without_series.problem) == (6, None)


def test_rows_survive_the_file(make_run: Make, runs: Path) -> None:
    make_run("a")
    make_run("b", epochs=1, finished=False)
    first = RunIndex(runs).listing()
    assert first.messages == ()
    assert RunIndex(runs).listing() == Listing(first.rows)
    for found in first.rows:
        assert from_row(json.loads(json.dumps(to_row(found))), runs) == found


def test_a_run_is_read_again_only_when_its_signature_changes(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("a")
    make_run("b")
    RunIndex(runs).listing()
    read: list[str] = []
    real = index_module.summarise

    def counting(run: index_module.Run, setting: str = "") -> RunSummary:
        read.append(run.id)
        return real(run, setting)

    monkeypatch.setattr(index_module, "summarise", counting)
    RunIndex(runs).listing()
    assert read == []
    edit_tags(folder, add=["new"])
    assert row(RunIndex(runs).listing(), "a").tags == ("new",)
    assert read == ["a"]


def test_the_setting_of_a_run_is_made_again_only_when_its_configuration_changes(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run("a", finished=False)
    made: list[str] = []
    real = summary_module.setting_digest

    def counting(run: index_module.Run) -> str:
        made.append(run.id)
        return real(run)

    monkeypatch.setattr(summary_module, "setting_digest", counting)
    index = RunIndex(runs)
    before = row(index.listing(), "a").setting
    with RunWriter.open(folder) as writer:
        measure(writer, 7)
    assert row(index.listing(), "a").epoch == 7
    assert row(index.listing(), "a").setting == row(RunIndex(runs).listing(), "a").setting == before
    assert made == ["a"]
    config = (folder / "config.toml").read_text()
    (folder / "config.toml").write_text(config.replace("seed = 7", "seed = 123"))
    assert row(RunIndex(runs).listing(), "a").setting == before
    (folder / "config.toml").write_text(config.replace("weight_decay = 0.005", "weight_decay = 0.01"))
    assert row(RunIndex(runs).listing(), "a").setting not in ("", before)
    assert made == ["a"] * 3


def test_whoever_changes_what_a_setting_is_raises_the_version_of_the_index(make_run: Make) -> None:
    """Rows of an older index would not fold with new ones: raise INDEX_VERSION, then write the new digest here."""
    assert (INDEX_VERSION, setting_digest(Run(make_run("a")))) == (6, "62ef94a0d9d5d77d")


def test_a_living_runs_state_is_looked_at_every_time(make_run: Make, runs: Path) -> None:
    folder = make_run("a", finished=False)
    records.write_process(folder, process_info(1, pid=os.getpid()))
    heartbeat = records.HeartbeatWriter(folder)
    heartbeat.beat("training", 6, 3)
    index = RunIndex(runs)
    assert row(index.listing(), "a").state == "running"
    records.request_stop(folder)
    assert row(index.listing(), "a").state == "stopping"
    assert row(index.poll(), "a").state == "stopping"
    assert row(RunIndex(runs).listing(), "a").state == "stopping"
    records.clear_stop(folder)
    with RunWriter.open(folder) as writer:
        measure(writer, 7)
    assert row(index.poll(), "a").epoch == 7
    records.write_result(folder, Result(1, "stopped", "asked"))
    assert row(index.poll(), "a").state == "stopped"
    assert row(RunIndex(runs).listing(), "a").settled


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"runs": 5}',
        b'{"runs": {"x": {}}}',
        b'{"runs": {"1": 5}}',
        b'{"_default": {}}',
        b'{"meta": {"1": {"version": 0}}, "runs": {}}',
        b'{"meta": {"1": {"version": 999}}, "runs": {}}',
        b"[" * 100_000,
        b"\xff" * 50,
    ],
)
def test_an_index_that_cannot_be_used_is_made_anew_and_said(
    make_run: Make, runs: Path, content: bytes
) -> None:
    make_run("a")
    good = RunIndex(runs).listing().rows
    (runs / "index.json").write_bytes(content)
    listing = RunIndex(runs).listing()
    assert listing.rows == good
    assert len(listing.messages) == 1
    assert "rebuilt from the folders" in listing.messages[0]
    assert RunIndex(runs).listing() == Listing(good)


def test_a_row_of_another_type_is_read_from_its_folder(make_run: Make, runs: Path) -> None:
    make_run("a")
    good = RunIndex(runs).listing().rows
    tables = json.loads((runs / "index.json").read_text())
    for table in tables["runs"].values():
        table["summary"]["epoch"] = "six"
    (runs / "index.json").write_text(json.dumps(tables))
    assert RunIndex(runs).listing().rows == good


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [*sorted(to_row(RunSummary(id="a", path="b", state="running", epoch=3, star=True))), "last"]
)
tables = st.fixed_dictionaries(
    {},
    optional={
        "meta": st.just({"1": {"version": 1}}) | json_values,
        "runs": st.dictionaries(
            st.sampled_from(["1", "2", "x", "-1", "9" * 50]),
            json_values
            | st.fixed_dictionaries(
                {"signature": st.lists(st.integers(), max_size=3) | json_values},
                optional={"summary": json_values | st.dictionaries(names | st.text(max_size=4), json_values)},
            ),
            max_size=3,
        )
        | json_values,
    },
)


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    runs = tmp_path_factory.mktemp("runs")
    folder = runs / "a"
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG)
    return runs


@given(st.binary(max_size=200) | tables.map(lambda value: json.dumps(value).encode()))
def test_any_index_file_gives_the_runs(one_run: Path, data: bytes) -> None:
    (one_run / "index.json").write_bytes(data)
    listing = RunIndex(one_run).listing()
    assert [found.id for found in listing.rows] == ["a"]
    assert listing.rows[0].preset == "tiny"


def test_a_broken_run_is_one_row_and_the_others_are_listed_as_ever(make_run: Make, runs: Path) -> None:
    good = make_run("good")
    (runs / "not_a_run").mkdir()
    os.utime(runs / "not_a_run", (1, 1))
    (make_run("bad_config") / "config.toml").write_bytes(b"\xff = [")
    (make_run("bad_result") / "result.json").write_bytes(b"{")
    (make_run("bad_notes") / "notes.json").write_bytes(b"7")
    (runs / "link").symlink_to(good)
    (runs / "circle").symlink_to(runs / "circle")
    folder = make_run("giant")
    with (folder / "events.jsonl").open("r+b") as file:
        file.truncate(10 << 40)
    make_run("bell\x07")
    (runs / "a file").touch()
    listing = RunIndex(runs).listing()
    problems = {found.id: found.problem for found in listing.rows}
    assert problems.pop("good") is None
    assert set(problems) == {
        "not_a_run", "bad_config", "bad_result", "bad_notes", "link", "circle", "giant", "bell\x07",
    }  # fmt: skip
    assert all(problem and problem.isprintable() for problem in problems.values())
    assert row(listing, "bad_notes").accuracy_all == 0.6
    assert row(listing, "bad_notes").state == "finished"
    assert RunIndex(runs).listing().rows == listing.rows


def test_a_folder_that_is_being_made_is_not_called_broken(runs: Path) -> None:
    (runs / "new").mkdir()
    assert RunIndex(runs).listing().rows == ()


def test_a_run_that_vanishes_leaves_the_list_and_the_index(make_run: Make, runs: Path) -> None:
    make_run("a")
    folder = make_run("b")
    index = RunIndex(runs)
    index.listing()
    shutil.rmtree(folder)
    assert [found.id for found in index.poll().rows] == ["a"]
    stored = json.loads((runs / "index.json").read_text())["runs"].values()
    assert [found["summary"]["id"] for found in stored] == ["a"]
    assert [found.id for found in RunIndex(runs).listing().rows] == ["a"]


def test_a_run_that_vanishes_while_it_is_read_is_no_row(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a")
    folder = make_run("b")
    real = index_module.summarise

    def vanishing(run: index_module.Run, setting: str = "") -> RunSummary:
        if run.id == "b" and folder.exists():
            shutil.rmtree(folder)
        return real(run, setting)

    monkeypatch.setattr(index_module, "summarise", vanishing)
    assert [found.id for found in RunIndex(runs).listing().rows] == ["a"]


def test_a_missing_folder_of_runs_is_an_empty_list_and_is_not_made(tmp_path: Path) -> None:
    assert RunIndex(tmp_path / "none").listing() == Listing(())
    assert not (tmp_path / "none").exists()


def test_in_a_folder_that_cannot_be_written_the_index_lives_in_the_cache(
    make_run: Make, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a")
    monkeypatch.setattr(index_module.os, "access", lambda *_: False)
    index = RunIndex(runs)
    assert len(index.listing().rows) == 1
    assert not (runs / "index.json").exists()
    assert index.path.exists()
    assert index.path.is_relative_to(os.environ["XDG_CACHE_HOME"])
    assert RunIndex(runs).listing().messages == ()


def test_an_index_that_cannot_be_written_is_said_and_the_runs_listed(make_run: Make, runs: Path) -> None:
    make_run("a")
    (runs / "index.json").mkdir()
    listing = RunIndex(runs).listing()
    assert len(listing.rows) == 1
    assert any("index.json" in message for message in listing.messages)


def test_poll_finds_new_runs_and_changes_in_ended_ones(make_run: Make, runs: Path) -> None:
    folder = make_run("a")
    index = RunIndex(runs)
    index.listing()
    make_run("b")
    assert [found.id for found in index.poll().rows] == ["a", "b"]
    edit_tags(folder, add=["x"])
    index.poll()
    assert row(index.poll(), "a").tags == ("x",)


MAKERS, MADE = 2, 20


def _list_again_and_again(runs: Path, together: Barrier, over: Event) -> None:
    together.wait(timeout=120)
    while not over.is_set():
        assert len({found.id for found in RunIndex(runs).listing().rows}) >= 3


def _make_and_tag(runs: Path, who: int, together: Barrier) -> None:
    together.wait(timeout=120)
    for n in range(MADE):
        folder = runs / f"made-{who}-{n:03d}"
        folder.mkdir()
        (folder / "config.toml").write_text(CONFIG)
        edit_tags(folder, add=[f"t{n}"])
        RunIndex(runs).listing()


def test_several_processes_share_the_index_and_lose_nothing(make_run: Make, runs: Path) -> None:
    for name in ("a", "b", "c"):
        make_run(name)
    context = multiprocessing.get_context("spawn")
    together, over = context.Barrier(1 + MAKERS), context.Event()
    lister = context.Process(target=_list_again_and_again, args=(runs, together, over))
    makers = [context.Process(target=_make_and_tag, args=(runs, who, together)) for who in range(MAKERS)]
    for worker in (lister, *makers):
        worker.start()
    for maker in makers:
        maker.join()
    over.set()
    lister.join()
    assert [worker.exitcode for worker in (lister, *makers)] == [0] * (1 + MAKERS)
    folders = sorted(path.name for path in runs.iterdir() if path.is_dir())
    listing = RunIndex(runs).listing()
    assert listing.messages == ()
    assert [found.id for found in listing.rows] == folders
    assert len(folders) == 3 + MAKERS * MADE
    for found in listing.rows:
        if found.id.startswith("made-"):
            assert found.tags == (f"t{int(found.id[-3:])}",)
    assert list(runs.glob("*.tmp")) == list(runs.glob(".*.tmp")) == []


def many(make_run: Make, runs: Path, count: int) -> None:
    template = make_run("run-0000", epochs=2)
    for n in range(1, count):
        folder = runs / f"run-{n:04d}"
        folder.mkdir()
        for name in ("config.toml", "events.jsonl", "result.json"):
            shutil.copy(template / name, folder / name)


@pytest.mark.parametrize("count", [3, 300])
def test_listing_runs_that_have_not_changed_opens_the_index_alone(
    make_run: Make, runs: Path, opened: Opened, count: int
) -> None:
    """What a listing takes does not grow with what the runs hold; benchmarks/cli_speed.py measures it."""
    many(make_run, runs, count)
    RunIndex(runs).listing()
    with opened() as files:
        assert len(RunIndex(runs).listing().rows) == count
    assert len(files) < 10
    assert not [name for name in files if "run-" in name or name.split("/")[-1] in RUN_FILES]


def test_listing_and_polling_ask_a_run_that_has_ended_for_nothing_but_its_signature(
    make_run: Make, runs: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(make_run, runs, 300)
    RunIndex(runs).listing()
    asked: list[str] = []
    for name in ("stat", "lstat"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda path, real=real, **more: asked.append(str(path)) or real(path, **more)
        )
    index = RunIndex(runs)
    index.listing()
    assert len([path for path in asked if "run-" in path]) <= 300 * SIGNATURE
    asked.clear()
    with opened() as files:
        assert len(index.poll().rows) == 300
    assert len([path for path in asked if "run-" in path]) <= 100 * SIGNATURE
    assert set(files) <= {str(runs)}
