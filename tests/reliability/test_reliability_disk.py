"""A full disk, a folder that may not be written, one that vanishes: one message, and what was there is not lost."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from finished_runs import make_run as make_finished
from living_runs import PATIENCE, state_of, wait_for, wait_for_epoch, wait_until_over
from reliable import (
    DIGITS,
    POWERLESS,
    SECONDS,
    Whole,
    assert_listed_truly,
    command,
    events_of,
    make,
    no_larger_than,
    outcome_files,
    under,
    wbtui,
    wbtui_each,
)

from wbtui.launch.environment import child_environment
from wbtui.launch.resume import resume_run
from wbtui.store.index import RunIndex
from wbtui.store.reader import open_run

TRAINER = (
    "import sys; from wbtui.training import patience; patience.RETRY_SECONDS = {pauses};"
    "from wbtui.training.__main__ import main; sys.exit(main(sys.argv[1:]))"
)
SHORT_PAUSES, MANY_PAUSES = (0.1, 0.2), (0.2,) * 1000
NO_CHECKPOINT_FITS, NO_EVENT_FITS = 300_000, 4_096


def train(
    folder: Path, most_bytes: int = resource.RLIM_INFINITY, pauses: Sequence[float] = SHORT_PAUSES
) -> "subprocess.Popen[bytes]":
    """The real trainer, with pauses of its own, on a disk that takes no file larger than so many bytes."""
    trainer = [sys.executable, "-c", TRAINER.format(pauses=pauses), str(folder)]
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            under(no_larger_than(most_bytes), trainer),
            stdout=log,
            stderr=subprocess.STDOUT,
            env=child_environment() | {"PYTHONDONTWRITEBYTECODE": "1"},
        )


needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone has prlimit")


@needs_prlimit
def test_a_disk_that_is_full_for_a_while_costs_nothing(runs: Path, whole: Whole) -> None:
    folder, _ = make(runs)
    trainer = train(folder, NO_EVENT_FITS, MANY_PAUSES)
    wait_for(lambda: "trying again in" in (folder / "output.log").read_text())
    assert state_of(folder).living
    resource.prlimit(trainer.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert trainer.wait(timeout=PATIENCE) == 0
    assert state_of(folder).name == "finished"
    assert outcome_files(folder) == whole.files


@needs_prlimit
@pytest.mark.parametrize("most_bytes", [NO_CHECKPOINT_FITS, NO_EVENT_FITS])
def test_a_disk_that_stays_full_ends_the_run_cleanly_and_it_resumes(
    runs: Path, whole: Whole, most_bytes: int
) -> None:
    folder, _ = make(runs, "checkpoint.every_seconds=1000")  # none before an epoch is done
    assert train(folder, most_bytes).wait(timeout=PATIENCE) == 1
    log = (folder / "output.log").read_text()
    assert log.count("cannot write: ") >= 3
    assert "trying again in 0.2 s" in log
    assert "Traceback" not in log
    result = open_run(folder).result
    assert result is not None
    assert "gave up" in result.reason
    if most_bytes == NO_EVENT_FITS:
        assert state_of(folder).name == "failed"
        return
    assert assert_listed_truly(folder) == "failed"  # what could be written before is kept, and said
    assert [event.type for event in events_of(folder)].count("epoch") == result.epoch >= 1
    resume_run(folder)
    assert wait_until_over(folder).name == "finished"
    assert outcome_files(folder) == whole.files


def test_a_trainer_whose_folder_vanishes_ends_and_so_does_who_watches_it(runs: Path, tmp_path: Path) -> None:
    folder, _ = make(runs, epochs=100_000)
    trainer = train(folder)
    wait_for_epoch(folder)
    watcher = subprocess.Popen(
        command("attach", folder.name, "--watch", runs=runs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    assert watcher.stdout is not None
    while "epoch 1/" not in watcher.stdout.readline():
        assert watcher.poll() is None
    folder.rename(tmp_path / "elsewhere")
    assert trainer.wait(timeout=PATIENCE) == 1
    _, said = watcher.communicate(timeout=PATIENCE)
    assert watcher.returncode == 1
    assert said.splitlines()[0] == "its folder is gone"
    assert "Traceback" not in said
    assert RunIndex(runs).listing().rows == ()
    (tmp_path / "elsewhere").rename(folder)
    assert "trying again" in (folder / "output.log").read_text()
    assert (folder / "checkpoint.pt").is_file()
    assert assert_listed_truly(folder) == "failed"  # its log went with the folder


@needs_prlimit
def test_a_new_run_on_a_full_disk_is_one_message_and_leaves_no_folder(runs: Path) -> None:
    runs.mkdir()
    for words in (("run", *DIGITS), ("queue", "add", *DIGITS)):
        done = subprocess.run(
            under(no_larger_than(0), command(*words, runs=runs)),
            capture_output=True,
            text=True,
            env=child_environment(),
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].endswith("provenance.json: cannot write: File too large")
        assert [path for path in runs.iterdir() if not path.name.startswith(".")] == []


def test_a_waiter_that_cannot_start_says_why_and_nothing_of_earlier_attempts(runs: Path) -> None:
    folder = make_finished(runs, finished=False)
    (folder / "output.log").write_text("of an earlier attempt\n")
    (folder / "control").write_text("no folder")
    done = wbtui("resume", folder.name, runs=runs)
    assert done.returncode == 1
    assert done.stderr.endswith("/control: cannot write: File exists\n")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 1 MB; only where mounting is allowed."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no mount here")
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_commands_on_a_full_and_on_a_read_only_disk_are_one_message_each(small_disk: Path) -> None:
    runs = small_disk / "runs"
    folder = make_finished(runs)
    assert wbtui("ls", runs=runs).returncode == 0
    with (small_disk / "filling").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                break
    writing = (("run", *DIGITS), ("note", "@last", "x" * 5000), ("queue", "add", *DIGITS))
    *refused, listed = wbtui_each([*writing, ("ls",)], runs)
    for done in refused:
        assert (done.returncode, done.stdout) == (1, ""), done.args
        assert done.stderr.splitlines()[-1].endswith("No space left on device")
    assert [path.name for path in runs.iterdir() if path.is_dir()] == [folder.name]
    assert listed.stdout.count("finished") == 1
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    writing = (("run", *DIGITS), ("tag", "@last", "+x"), ("rm", "@last"), ("queue", "pause"))
    *refused, listed = wbtui_each([*writing, ("ls",)], runs)
    for done in refused:
        assert (done.returncode, done.stdout) == (2, ""), done.args
        assert "Read-only file system" in done.stderr
        assert done.stderr.count("\n") == 1
    assert (listed.returncode, listed.stdout.count("finished")) == (0, 1)


@pytest.fixture
def guarded(runs: Path) -> Iterator[Path]:
    """A folder of two runs that may not be written, by anybody who obeys permissions."""
    make_finished(runs, digits="aaaa0000")
    make_finished(runs, finished=False, seed=1, digits="bbbb1111")
    (runs / ".queue").mkdir()
    folders = [runs, *(path for path in runs.iterdir() if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    probe = subprocess.run(
        under(POWERLESS if sys.platform == "linux" else "pass", ["/usr/bin/touch", str(runs / "x")]),
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if probe.returncode == 0:
        (runs / "x").unlink()
        pytest.skip("permissions do not hold for this user")
    yield runs
    for folder in folders:
        folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_is_read_and_refused_in_one_message(guarded: Path) -> None:
    reading = [("ls",), ("ls",), ("show", "aaaa"), ("queue",)]
    first, again, shown, queue = wbtui_each(reading, guarded, powerless=True)
    assert (queue.returncode, queue.stdout[:9]) == (0, "0 waiting")
    assert first.stdout == again.stdout
    assert (len(first.stdout.splitlines()), again.stderr) == (3, "")
    assert not (guarded / "index.json").exists()
    assert list(Path(os.environ["XDG_CACHE_HOME"]).rglob("indexes/*.json"))
    assert shown.returncode == 0
    writing = [
        ("run", *DIGITS),
        ("queue", "add", *DIGITS),
        ("queue", "pause"),
        ("resume", "bbbb"),
        ("tag", "aaaa", "+x"),
        ("note", "aaaa", "x"),
        ("star", "aaaa"),
        ("rm", "aaaa"),
        ("prune", "--checkpoints", "--yes"),
        ("adjust", "aaaa", "--save"),
    ]
    for done in wbtui_each(writing, guarded, powerless=True):
        assert done.returncode in (1, 2), done.args
        assert "Permission denied" in done.stderr, done.args
        assert "Traceback" not in done.stderr, done.args


def test_a_folder_that_may_not_be_entered_is_one_message(guarded: Path) -> None:
    inside = guarded / "runs"
    guarded.chmod(0o000)
    words = [("ls",), ("show", "@last"), ("report",), ("export",), ("queue",), ("run", *DIGITS)]
    words += [("queue", "add", *DIGITS), ("import", "--logits", str(inside / "x.npz"))]
    for done in wbtui_each(words, inside, powerless=True):
        assert done.returncode == 2, done.args
        assert done.stderr.splitlines()[-1].startswith("wbtui: "), done.args
        assert done.stderr.endswith("Permission denied\n"), done.args
    doctor = wbtui("doctor", runs=inside, powerless=True)
    assert doctor.returncode == 1
    assert f"{inside}: cannot be written: Permission denied" in doctor.stdout


def test_a_run_that_may_not_be_looked_into_is_one_row(guarded: Path) -> None:
    closed = next(guarded.glob("*bbbb1111"))
    os.utime(closed, (1, 1))  # a new folder without a config.toml may just be being made
    closed.chmod(0o000)
    listed = wbtui("ls", runs=guarded, powerless=True)
    assert listed.returncode == 0
    assert listed.stdout.count("finished") == 1
    assert f"{closed.name}: " in listed.stdout + listed.stderr
    assert "Permission denied" in listed.stdout + listed.stderr
    shown = wbtui("show", "bbbb", runs=guarded, powerless=True)
    assert (shown.returncode, "Permission denied" in shown.stderr) == (2, True)


@pytest.mark.full
@pytest.mark.skipif(SECONDS < 30, reason="takes 40 s: only in `make test-full`")
def test_a_run_on_a_disk_too_small_gives_up_after_half_a_minute(small_disk: Path) -> None:
    (small_disk / "filling").write_bytes(b"x" * 600_000)
    done = wbtui("run", *DIGITS, "--set", "stages.0.epochs=3", runs=small_disk / "runs")
    assert done.returncode == 1
    assert "checkpoint.pt: cannot write: No space left on device; trying again in 20 s" in done.stderr
    assert "gave up; what was written before it stands" in done.stderr
    (folder,) = (path for path in (small_disk / "runs").iterdir() if path.is_dir())
    assert assert_listed_truly(folder) == "failed"
