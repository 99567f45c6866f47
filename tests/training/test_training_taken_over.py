"""A run that takes over the stages of another ends as one that has trained them itself."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from whole_runs import results, train_here

from wbtui.launch.stages_before import read_source, resolve_after
from wbtui.launch.start import make_run
from wbtui.presets import resolve
from wbtui.store.reader import open_run
from wbtui.store.records import clear_stop, request_stop

FIRST = ("stages.0.epochs=4", "threads=1", "device=cpu", "evaluation.selection=best_validation")
WORSE = ("stages.1.epochs=3", "stages.1.learning_rate=30.0")
"""A second stage after which the best epoch is still one of the first, which may not be selected."""


@pytest.fixture(scope="session")
def trained(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """A folder of runs: one stage (wd), and both stages (wb)."""

    def train_both(place: Path) -> None:
        for variant, settings in (("wd", FIRST), ("wb", (*FIRST, *WORSE))):
            made = make_run(place, resolve("glyphs_lt", variant, settings=settings))
            made.rename(place / variant)
            assert train_here(place / variant) == 0

    return made_once("one_stage_and_both", train_both)


def taken_over(runs: Path, source: Path) -> Path:
    return make_run(runs, resolve_after(read_source(source), variant="wb", settings=WORSE))


def selected(folder: Path) -> int:
    epoch: int = json.loads((folder / "predictions" / "meta.json").read_text())["epoch"]
    return epoch


def test_it_ends_identical_to_the_run_that_trained_both_stages(trained: Path, tmp_path: Path) -> None:
    folder = taken_over(tmp_path, trained / "wd")
    before = (trained / "wd" / "checkpoint.pt").read_bytes()
    assert train_here(folder) == 0
    own, whole = results(folder), results(trained / "wb")
    assert own.keys() == whole.keys()
    for name, values in whole.items():
        if name.startswith("matrices/"):  # those of the source's end stand before them
            assert own[name].endswith(values)
        else:
            assert own[name] == values, name
    assert selected(folder) == selected(trained / "wb") > 4
    run = open_run(folder)
    assert run.history.taken_over == 4
    assert [stage["first_epoch"] for stage in run.history.stages] == [1, 5]
    assert not run.history.alerts
    assert (trained / "wd" / "checkpoint.pt").read_bytes() == before
    assert run.result is not None
    whole_result = open_run(trained / "wb").result
    assert whole_result is not None
    assert (run.result.best_epoch, run.result.final) == (whole_result.best_epoch, whole_result.final)


def test_one_that_is_stopped_goes_on_as_any_other(trained: Path, tmp_path: Path) -> None:
    folder = taken_over(tmp_path, trained / "wd")
    request_stop(folder)
    train_here(folder)
    run = open_run(folder)
    assert run.state().name == "stopped"
    assert run.history.last_epoch == 4
    clear_stop(folder)
    assert train_here(folder) == 0
    assert (
        results(folder)["predictions/test_logits.npy"]
        == results(trained / "wb")["predictions/test_logits.npy"]
    )
    kinds = [event["type"] for event in map(json.loads, (folder / "events.jsonl").read_text().splitlines())]
    assert (kinds.count("start"), kinds.count("resume")) == (1, 2)
    assert open_run(folder).history.taken_over == 4


def test_what_differs_in_images_or_arithmetic_is_told(trained: Path, tmp_path: Path) -> None:
    folder = taken_over(tmp_path, trained / "wd")
    provenance = json.loads((folder / "provenance.json").read_text())
    provenance["data"]["fingerprint"] = "others"
    (folder / "provenance.json").write_text(json.dumps(provenance))
    assert train_here(folder) == 0
    (alert,) = open_run(folder).history.alerts
    assert "the images are others than before" in alert.message
