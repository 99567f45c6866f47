"""Is a schedule too short for its weight decay said, with the right number, and only then?"""

import json
import math
from pathlib import Path

import pytest
from finished_runs import COUNTS, make_run

from wbtui.cli.main import main
from wbtui.config import RunConfig
from wbtui.presets import resolve
from wbtui.report.decay import PAPERS_DOSE, decay_dose, decay_notice, planned_notice, run_notice
from wbtui.store.reader import open_run


def config_of(preset: str, variant: str, *settings: str) -> RunConfig:
    return resolve(preset, variant, settings=list(settings)).config


def test_the_dose_is_epochs_times_steps_times_rate_times_decay() -> None:
    stage = config_of("digits_lt", "wd").stages[0]
    assert decay_dose(stage, 280) == pytest.approx(150 * math.ceil(280 / 64) * 0.1 * 5e-3)
    constant = stage.model_copy(update={"schedule": "constant"})
    assert decay_dose(constant, 280) == pytest.approx(2 * decay_dose(stage, 280))


def test_the_papers_own_schedule_is_the_measure_and_gets_no_notice() -> None:
    papers = config_of("cifar100_lt", "wd")
    assert decay_dose(papers.stages[0], 10_457) == pytest.approx(PAPERS_DOSE)
    assert planned_notice(papers) == ""
    assert (
        planned_notice(config_of("cifar100_lt", "wd", "data.split_rule=full", "evaluation.selection=last"))
        == ""
    )
    assert planned_notice(config_of("cifar10_lt", "wd_fr_etf")) == ""


@pytest.mark.parametrize(("epochs", "share"), [(32, "10%"), (160, "50%"), (316, "99%")])
def test_a_short_schedule_is_told_with_its_number(epochs: int, share: str) -> None:
    notice = planned_notice(config_of("cifar100_lt", "wd", f"stages.0.epochs={epochs}"))
    assert f"= {PAPERS_DOSE * epochs / 320:.3g}, {share} of the papers' 2.62" in notice
    assert "short schedule understates WD" in notice
    assert planned_notice(config_of("cifar100_lt", "wd", "stages.0.epochs=317")) == ""


@pytest.mark.parametrize("settings", [(), ("stages.0.epochs=3",)])
def test_without_weight_decay_there_is_nothing_to_understate(settings: tuple[str, ...]) -> None:
    assert planned_notice(config_of("digits_lt", "ce", *settings)) == ""


def test_a_classifier_stage_does_not_count() -> None:
    both = config_of("digits_lt", "wb")
    assert len(both.stages) == 2
    assert decay_notice(both, 280) == decay_notice(config_of("digits_lt", "wd"), 280) != ""


def test_unknown_images_say_nothing() -> None:
    assert decay_notice(config_of("digits_lt", "wd"), None) == ""
    missing = config_of("digits_lt", "wd", "data.source=npz", "data.root=/nowhere/at/all.npz")
    assert planned_notice(missing) == ""


def test_a_run_is_measured_by_the_images_that_it_trained_on(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    dose = 20 * math.ceil(sum(COUNTS) / 64) * 0.1 * 5e-3
    assert f"WD = {dose:.3g}, " in run_notice(open_run(folder))
    provenance = json.loads((folder / "provenance.json").read_text())
    provenance["data"] = {"train_counts": [64_000, 64_000]}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    assert run_notice(open_run(folder)) == ""
    provenance["data"] = {"train_counts": ["many", None]}
    (folder / "provenance.json").write_text(json.dumps(provenance))
    planned = 20 * math.ceil(280 / 64) * 0.1 * 5e-3
    assert f"WD = {planned:.3g}, " in run_notice(open_run(folder))


def test_show_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(tmp_path, "wd")
    make_run(tmp_path, "ce")
    for folder in sorted(tmp_path.glob("2*")):
        capsys.readouterr()
        assert main(["show", folder.name, "--runs", str(tmp_path)]) == 0
        assert ("of the papers' 2.62" in " ".join(capsys.readouterr().out.split())) == ("-wd-" in folder.name)
