"""Whole runs by recorded steps end as those by plain ones, also stopped and resumed."""

import json
from pathlib import Path

import pytest

from tests.training.whole_runs import epochs, results, run
from wbtui.errors import RunFailedError
from wbtui.training.stage import Stage
from wbtui.training.trainer import StopRequested


@pytest.fixture(scope="module")
def eager_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("eager") / "run", "eager")


def test_a_whole_run_of_two_stages_is_the_same_by_either_engine(eager_run: Path, tmp_path: Path) -> None:
    replayed = run(tmp_path / "run", "graphs")
    assert results(replayed) == results(eager_run)
    assert epochs(replayed) == epochs(eager_run)


def test_a_replayed_run_stopped_inside_an_epoch_resumes_to_the_same(eager_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(StopRequested, match="enough"):
        run(folder, "graphs", "checkpoint.every_seconds=1000", stop_after=23)
    reported = epochs(folder)
    assert (
        reported == epochs(eager_run)[: len(reported)]
    )  # the epoch before was reported before its checkpoint
    assert len(reported) == 1
    run(folder, "graphs")
    assert results(folder) == results(eager_run)
    assert epochs(folder) == epochs(eager_run)


SELECTING = ("evaluation.selection=best_validation", "stages.1.epochs=4", "stages.1.learning_rate=0.5")


def test_weights_that_validation_selects_are_those_of_their_epoch_by_either_engine(tmp_path: Path) -> None:
    """Replays report an epoch while the next one moves the weights: the best ones are kept before."""
    runs = [run(tmp_path / engine, engine, *SELECTING) for engine in ("eager", "graphs")]
    told = [json.loads((folder / "predictions/meta.json").read_text("utf-8")) for folder in runs]
    assert told[0]["weights"] == "best_validation"
    assert told[0]["epoch"] < 7  # not the last one, whose weights are there anyway
    assert results(runs[0]) == results(runs[1])
    assert epochs(runs[0]) == epochs(runs[1])


def test_a_replayed_run_that_validation_selects_resumes_to_the_same(tmp_path: Path) -> None:
    straight, folder = run(tmp_path / "straight", "graphs", *SELECTING), tmp_path / "run"
    with pytest.raises(StopRequested, match="enough"):
        run(folder, "graphs", *SELECTING, "checkpoint.every_seconds=1000", stop_after=52)
    run(folder, "graphs", *SELECTING)
    assert results(folder) == results(straight)
    assert epochs(folder) == epochs(straight)


def test_an_epoch_is_reported_before_the_next_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_epoch = Stage.begin_epoch

    def spoil_the_second(stage: Stage, epoch: int) -> None:
        begin_epoch(stage, epoch)
        if epoch == 1:
            stage.tensors()[0].data.fill_(float("nan"))

    monkeypatch.setattr(Stage, "begin_epoch", spoil_the_second)
    folder = tmp_path / "run"
    with pytest.raises(RunFailedError, match="epoch 2, batch 1"):
        run(folder, "graphs", "checkpoint.every_seconds=1000")
    assert len(epochs(folder)) == 1
