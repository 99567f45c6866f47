"""Scalars for TensorBoard, read back with its own loader."""

import subprocess
import sys
from pathlib import Path

import pytest
from finished_runs import EPOCHS, make_run
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

from wbtui.errors import MissingPackageError, UsageError
from wbtui.report.event_files import write_event_files
from wbtui.store.reader import open_run


def read(folder: Path) -> dict[str, list[tuple[int, float, float]]]:
    """Tag → (step, wall time, value) of a folder of event files."""
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})  # all, not a sample
    accumulator.Reload()
    return {
        tag: [
            (event.step, event.wall_time, float(tensor_util.make_ndarray(event.tensor_proto)))
            for event in accumulator.Tensors(tag)
        ]
        for tag in accumulator.Tags()["tensors"]
    }


def test_every_scalar_of_every_epoch_is_read_back_by_tensorboard(tmp_path: Path) -> None:
    runs = [open_run(make_run(tmp_path / "runs", "wd", seed)) for seed in range(2)]
    count = write_event_files(runs, tmp_path / "tb")
    assert count == sum(len(epoch.scalars) for run in runs for epoch in run.epochs)
    for run in runs:
        found = read(tmp_path / "tb" / run.id)
        assert set(found) == {name.replace(".", "/", 1) for name in run.epochs[0].scalars}
        steps, times, values = zip(*found["test/accuracy.all"], strict=True)
        epochs, expected = run.scalars("test.accuracy.all")
        assert list(steps) == epochs.tolist() == list(range(1, EPOCHS + 1))
        assert values == pytest.approx(expected)
        assert times == pytest.approx([epoch.time for epoch in run.epochs])


def test_event_files_are_not_mixed_up_with_those_that_are_there(tmp_path: Path) -> None:
    old, new = (open_run(make_run(tmp_path / "runs", "wd", seed)) for seed in range(2))
    write_event_files([old], tmp_path / "tb")
    with pytest.raises(UsageError, match="there already"):
        write_event_files([new, old], tmp_path / "tb")
    assert [path.name for path in (tmp_path / "tb").iterdir()] == [old.id]


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(MissingPackageError, match=r"--tensorboard: .*pip install 'wbtui\[tensorboard\]'"):
        write_event_files([open_run(make_run(tmp_path))], tmp_path / "tb")
    assert not (tmp_path / "tb").exists()


FULL = """
import resource, sys
from wbtui.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
sys.exit(main(["export", "--runs", sys.argv[1], "--tensorboard", sys.argv[2]]))
"""


def test_a_disk_that_takes_no_events_is_one_message(tmp_path: Path) -> None:
    make_run(tmp_path / "runs")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "runs"), str(tmp_path / "tb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == f"wbtui: {tmp_path / 'tb'}: cannot write: File too large\n"
