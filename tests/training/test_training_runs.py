"""Whole runs of the real trainer, most in processes of their own: identical, killed, stopped, resumed, failed."""

import errno
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from living_runs import PATIENCE
from whole_runs import results, train_here

from wbtui.data.longtail import load
from wbtui.models.etf import etf_weight, rotation_to_class_means
from wbtui.models.model import build_model
from wbtui.presets import resolve
from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError
from wbtui.store.log import LineWriter

KILLS = int(os.environ.get("WBTUI_KILLS", "2"))
KILLS_A_RUN = 2
SHORT = ("stages.0.epochs=8", "checkpoint.every_seconds=0.3")
TWO_STAGES = ("stages.0.epochs=5", "stages.1.epochs=4", "checkpoint.every_seconds=0.3")


def make(folder: Path, preset: str, variant: str, *settings: str) -> Path:
    folder.mkdir()
    config = resolve(preset, variant, settings=settings).config
    (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "wbtui.training", str(folder)], stdout=log, stderr=subprocess.STDOUT
        )


def train(folder: Path) -> int:
    return start(folder).wait(timeout=PATIENCE)


def events(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def wait_for_epoch(folder: Path, epoch: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        log = folder / "events.jsonl"
        if log.exists() and log.read_bytes().count(b'"type":"epoch"') >= epoch:
            return
        time.sleep(0.02)
    raise AssertionError(f"no epoch {epoch} within {PATIENCE:.0f} s: {(folder / 'output.log').read_text()}")


@pytest.fixture(scope="session")
def whole(made_once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """An uninterrupted two-stage run."""

    def train_undisturbed(place: Path) -> None:
        assert train(make(place / "run", "glyphs_lt", "wb", *TWO_STAGES)) == 0

    return made_once("undisturbed_two_stages", train_undisturbed) / "run"


def test_two_runs_with_one_seed_are_identical_to_the_byte(whole: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again", "glyphs_lt", "wb", *TWO_STAGES)
    assert train(again) == 0
    assert results(again) == results(whole)


def test_another_seed_gives_another_run(whole: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", "glyphs_lt", "wb", *TWO_STAGES, "seed=1")
    assert train_here(other) == 0
    assert results(other)["predictions/test_logits.npy"] != results(whole)["predictions/test_logits.npy"]


def test_killed_at_random_moments_and_resumed_ends_identical(whole: Path, tmp_path: Path) -> None:
    moments = random.Random(20261123)
    undisturbed = json.loads((whole / "result.json").read_text())
    took = min(
        20.0, undisturbed["ended"] - undisturbed["started"]
    )  # a held up machine has the tests wait no longer
    for kill in range(-(-KILLS // KILLS_A_RUN)):
        folder = make(tmp_path / f"killed{kill}", "glyphs_lt", "wb", *TWO_STAGES)
        for _ in range(KILLS_A_RUN):
            trainer = start(folder)
            time.sleep(moments.uniform(0.5, 0.5 + took))
            trainer.send_signal(signal.SIGKILL)
            trainer.wait()
        assert train(folder) == 0, (folder / "output.log").read_text()
        assert results(folder) == results(whole)


def test_a_stop_file_ends_the_run_with_a_checkpoint_and_a_resume_ends_identical(
    whole: Path, tmp_path: Path
) -> None:
    folder = make(tmp_path / "stopped", "glyphs_lt", "wb", *TWO_STAGES)
    trainer = start(folder)
    wait_for_epoch(folder, 2)
    (folder / "control").mkdir(exist_ok=True)
    (folder / "control" / "stop").touch()
    assert trainer.wait(timeout=PATIENCE) == 130
    last = events(folder)[-1]
    assert (last["type"], last["outcome"]) == ("end", "stopped")
    assert "control/stop" in last["reason"]
    assert (folder / "checkpoint.pt").exists()
    assert train(folder) == 0
    assert results(folder) == results(whole)
    assert [event["from_epoch"] for event in events(folder) if event["type"] == "resume"] != []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_gracefully(tmp_path: Path, number: signal.Signals) -> None:
    folder = make(tmp_path / "run", "digits_lt", "wd", "stages.0.epochs=100000")
    trainer = start(folder)
    wait_for_epoch(folder, 1)
    trainer.send_signal(number)
    assert trainer.wait(timeout=PATIENCE) == 130
    assert number.name in events(folder)[-1]["reason"]


def test_a_loss_that_is_not_finite_stops_the_run_and_names_epoch_batch_and_rate(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", "digits_lt", "ce", "stages.0.learning_rate=1e30", "stages.0.epochs=3")
    assert train(folder) == 1
    alert = next(event for event in events(folder) if event["type"] == "alert")
    assert alert["kind"] == "non_finite_loss"
    assert "epoch 1, batch" in alert["message"]
    assert re.search(r"learning rate \d[.\d]*e\+(29|30)\b", alert["message"])
    assert events(folder)[-1]["outcome"] == "failed"
    assert "Traceback" not in (folder / "output.log").read_text()


def test_an_error_of_many_lines_is_told_by_its_first_and_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise torch.AcceleratorError(
            "CUDA error: system not yet initialized\nFor debugging consider this\nor that"
        )

    monkeypatch.setattr("wbtui.training.session.train", fail)
    folder = make(tmp_path / "run", "digits_lt", "ce")
    assert train_here(folder) == 1
    result = json.loads((folder / "result.json").read_text())
    assert result["reason"] == "AcceleratorError: CUDA error: system not yet initialized"
    assert "Traceback" in result["error"]
    assert result["error"].strip().endswith("For debugging consider this\nor that")
    assert events(folder)[-1]["reason"] == result["reason"]


def test_best_validation_selects_by_validation_and_keeps_its_weights(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", "digits_lt", "wd", *SHORT, "evaluation.selection=best_validation")
    assert train_here(folder) == 0
    epochs = [event for event in events(folder) if event["type"] == "epoch"]
    # The first of equals: a mean over classes is rounded by how its hits lie among them.
    best = max(epochs, key=lambda event: round(event["scalars"]["validation.accuracy.all"], 9))
    meta = json.loads((folder / "predictions" / "meta.json").read_text())
    assert meta["weights"] == "best_validation"
    assert meta["epoch"] == best["epoch"]
    logits = np.load(folder / "predictions" / "validation_logits.npy")
    labels = np.load(folder / "predictions" / "validation_labels.npy")
    hits = [np.mean(logits[labels == k].argmax(1) == k) for k in range(10)]
    assert np.mean(hits) == pytest.approx(best["scalars"]["validation.accuracy.all"])
    assert (folder / "best.pt").exists()
    final = json.loads((folder / "result.json").read_text())["final"]
    of_splits = {
        name: value
        for name, value in best["scalars"].items()
        if name.startswith(("train.", "validation.", "test."))
    }
    assert "train.feature_norm.spearman" in of_splits  # digits_lt measures training images every epoch
    assert final == pytest.approx(of_splits | {"bn.scale.mean": best["scalars"]["bn.scale.mean"]})


def test_splits_are_measured_as_often_as_configured_and_at_the_end_of_every_stage(tmp_path: Path) -> None:
    often = ("diagnostics.train_every=2", "evaluation.every=3", "diagnostics.matrices_every=4")
    settings = ("stages.0.epochs=5", "stages.1.epochs=2", "stages.1.schedule=cosine_papers", *often)
    folder = make(tmp_path / "run", "digits_lt", "wb", *settings)
    assert train_here(folder) == 0
    epochs = [event for event in events(folder) if event["type"] == "epoch"]

    def measured(name: str) -> list[int]:
        return [one["epoch"] for one in epochs if name in one["scalars"]]

    assert measured("running.loss") == [1, 2, 3, 4, 5, 6, 7]
    assert measured("train.fdr") == measured("train.accuracy.all") == [2, 4, 5, 6, 7]
    assert measured("test.fdr") == measured("validation.accuracy.all") == [3, 5, 6, 7]
    assert measured("stage2.closed_form_error") == [6, 7]
    kept = {name: [one["epoch"] for one in epochs if name in one.get("matrices", {})] for name in MATRICES}
    assert kept == {"train.cosine": [4, 7], "test.confusion": [7]}
    rates = [one["scalars"]["lr"] for one in epochs]
    steps = -(-280 // 64)  # the last step of an epoch is one before its end
    per_step = [0.05 * (1 + math.cos(math.pi * (e + (steps - 1) / steps) / 5)) for e in range(5)]
    assert rates == pytest.approx([*per_step, 0.005, 0.0], abs=1e-12)


MATRICES = ("train.cosine", "test.confusion")


def test_validation_selects_the_first_of_equals_among_the_epochs_of_the_last_stage(tmp_path: Path) -> None:
    still = ("stages.1.epochs=3", "stages.1.learning_rate=1e-12", "stages.1.constraint=none")
    settings = ("stages.0.epochs=2", *still, "evaluation.selection=best_validation")
    folder = make(tmp_path / "run", "digits_lt", "wb", *settings)
    assert train_here(folder) == 0
    scalars = [event["scalars"] for event in events(folder) if event["type"] == "epoch"]
    assert len({one["validation.accuracy.all"] for one in scalars[1:]}) == 1  # stage 2 changes nothing
    assert json.loads((folder / "predictions" / "meta.json").read_text())["epoch"] == 3
    assert {one["train.fdr"] for one in scalars[1:]} == {scalars[1]["train.fdr"]}


def test_stored_logits_give_the_accuracy_of_the_last_epoch(whole: Path) -> None:
    last = [event for event in events(whole) if event["type"] == "epoch"][-1]
    logits = np.load(whole / "predictions" / "test_logits.npy")
    labels = np.load(whole / "predictions" / "test_labels.npy")
    hits = [np.mean(logits[labels == k].argmax(1) == k) for k in range(20)]
    assert np.mean(hits) == pytest.approx(last["scalars"]["test.accuracy.all"])


def test_stage_two_reports_maxnorm_and_the_closed_form(whole: Path) -> None:
    last = [event for event in events(whole) if event["type"] == "epoch"][-1]["scalars"]
    first = next(
        event["scalars"] for event in events(whole) if event.get("stage") == 1 and "scalars" in event
    )
    assert 0 < first["maxnorm.active"] <= 20  # δ lies below the largest norm that the stage starts from
    assert (
        0 <= last["maxnorm.active"] < first["maxnorm.active"]
    )  # counted anew each epoch; decay shortens rows
    assert last["maxnorm.threshold"] > 0
    assert last["stage2.closed_form_error"] > 0
    assert -1 <= last["stage2.norm_correlation"] <= 1


def test_cached_features_train_the_classifier_alone(tmp_path: Path) -> None:
    settings = ("stages.0.epochs=2", "stages.1.epochs=30", "stages.1.features=cached")
    folder = make(tmp_path / "run", "glyphs_lt", "wb_ce", *settings)
    assert train_here(folder) == 0
    epochs = [event for event in events(folder) if event["type"] == "epoch"]
    assert epochs[-1]["scalars"]["test.fdr"] == epochs[2]["scalars"]["test.fdr"]
    assert epochs[-1]["scalars"]["train.loss"] != epochs[2]["scalars"]["train.loss"]


@pytest.mark.parametrize("variant", ["wd_fr_etf", "ldam_drw", "lws", "crt", "wd_fixed_bn", "vs"])
def test_a_variant_trains_to_its_predictions(tmp_path: Path, variant: str) -> None:
    epochs = ["stages.1.epochs=1"] if variant in ("lws", "crt") else []
    folder = make(tmp_path / variant, "digits_lt", variant, "stages.0.epochs=2", *epochs)
    assert train_here(folder) == 0
    assert np.isfinite(np.load(folder / "predictions" / "test_logits.npy")).all()


def test_a_fresh_classifier_is_drawn_anew_by_the_seed_of_the_run(tmp_path: Path) -> None:
    weights = []
    for seed in (0, 1):
        settings = ("stages.0.epochs=1", "stages.1.epochs=1", "stages.1.learning_rate=1e-12", f"seed={seed}")
        folder = make(tmp_path / f"run{seed}", "digits_lt", "crt", *settings)
        assert train_here(folder) == 0
        saved = torch.load(folder / "checkpoint.pt", weights_only=True)["model"]
        weights.append(saved["head.weight"])
        torch.manual_seed(seed)
        first = build_model(resolve("digits_lt", "crt").config.model, 10, 1, 8).head.weight
        assert not torch.allclose(weights[-1], first, atol=1e-3)
        assert weights[-1].abs().max() == pytest.approx(64**-0.5, rel=0.05)
    assert not torch.allclose(*weights, atol=1e-3)


def test_an_etf_can_start_from_class_means(tmp_path: Path) -> None:
    settings = ("stages.0.epochs=1", "model.etf_init=class_means")
    folder = make(tmp_path / "run", "digits_lt", "wd_etf", *settings)
    assert train_here(folder) == 0
    assert np.load(folder / "predictions" / "classifier_norms.npy") == pytest.approx(np.ones(10), abs=1e-5)
    config = resolve("digits_lt", "wd_etf", settings=settings).config
    data = load(config.data)
    torch.manual_seed(config.seed)
    model = build_model(config.model, 10, 1, 8).eval()
    images = (data.train_images / 255 - data.mean[0]) / data.std[0]
    with torch.no_grad():
        features = model.features(images).double()
    means = torch.stack([features[data.train_labels == k].mean(0) for k in range(10)])
    expected = etf_weight(rotation_to_class_means(means)).float()
    kept = torch.load(folder / "checkpoint.pt", weights_only=True)["model"]["head.weight"]
    torch.testing.assert_close(kept, expected, rtol=0.0, atol=1e-3)


def test_a_cosine_classifier_takes_the_scale_of_its_stage_and_its_norms_are_that_scale(
    tmp_path: Path,
) -> None:
    later = ("stages.1.name=classifier", "stages.1.trains=classifier", "stages.1.epochs=1")
    settings = ("stages.0.epochs=1", "stages.0.loss.scale=20.0", "model.cosine_scale=40.0", *later)
    folder = make(tmp_path / "run", "digits_lt", "ldam_drw", *settings)
    assert train_here(folder) == 0
    assert np.load(folder / "predictions" / "classifier_norms.npy") == pytest.approx(np.full(10, 40.0))
    assert 20.0 < np.abs(np.load(folder / "predictions" / "test_logits.npy")).max() <= 40.0


def test_mirror_averaging_is_named_and_changes_the_logits(tmp_path: Path) -> None:
    plain = make(tmp_path / "plain", "digits_lt", "wd", "stages.0.epochs=1")
    mirrored = make(tmp_path / "mirrored", "digits_lt", "wd", "stages.0.epochs=1", "evaluation.tta=flip")
    assert train_here(plain) == train_here(mirrored) == 0
    assert json.loads((mirrored / "predictions" / "meta.json").read_text())["tta"] == "flip"
    name = "predictions/test_logits.npy"
    assert results(plain)[name] != results(mirrored)[name]


def test_the_full_rule_trains_without_validation(tmp_path: Path) -> None:
    settings = ("stages.0.epochs=1", "data.split_rule=full", "data.images_per_class=100")
    folder = make(tmp_path / "run", "digits_lt", "wd", *settings)
    assert train_here(folder) == 0
    assert not (folder / "predictions" / "validation_logits.npy").exists()


def test_a_broken_configuration_is_one_message_and_exit_code_2(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.toml").write_text("seed = -1\n")
    finished = subprocess.run(
        [sys.executable, "-m", "wbtui.training", str(folder)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert finished.returncode == 2
    assert "seed = -1" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_lone_epoch_at_rate_zero_is_an_alert_in_the_run(tmp_path: Path) -> None:
    settings = ("stages.0.epochs=1", "stages.0.schedule=cosine_papers")
    folder = make(tmp_path / "run", "digits_lt", "wd", *settings)
    assert train(folder) == 0
    (alert,) = (event for event in events(folder) if event["type"] == "alert")
    assert alert["kind"] == "configuration"
    assert "trains at learning rate 0" in alert["message"]
    assert alert["message"] in (folder / "output.log").read_text()


def test_a_damaged_checkpoint_is_named_not_unpickled(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", "digits_lt", "wd", "stages.0.epochs=1")
    (folder / "checkpoint.pt").write_bytes(b"\x80\x04cos\nsystem\n(S'touch pwned'\ntR.")
    assert train(folder) == 1
    end = events(folder)[-1]
    assert "checkpoint.pt: not a checkpoint that this wbtui can read: damaged" in end["reason"]
    assert end["error"] == ""
    assert not Path("pwned").exists()


@pytest.mark.parametrize(
    "word",
    [
        pytest.param(b'"type":"start"', id="first_event"),
        pytest.param(b'"fingerprint"', id="provenance"),
        pytest.param(b'"type":"end"', id="last_event"),
    ],
)
def test_a_disk_that_is_full_at_the_first_or_last_word_only_delays_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: bytes
) -> None:
    refused = []
    real_write, real_append = atomic.write_bytes, LineWriter.append

    def refuse_once(path: Path, data: bytes) -> None:
        if word in data and not refused:
            refused.append(path.name)
            raise StoreWriteError(path, OSError(errno.ENOSPC, ""))

    def write(path: Path, data: bytes, *, durable: bool = True) -> None:
        refuse_once(path, data)
        real_write(path, data, durable=durable)

    def append(writer: LineWriter, line: bytes) -> None:
        refuse_once(writer.path, line)
        real_append(writer, line)

    monkeypatch.setattr(atomic, "write_bytes", write)
    monkeypatch.setattr(LineWriter, "append", append)
    monkeypatch.setattr("wbtui.training.patience.RETRY_SECONDS", (0.0,))
    monkeypatch.setenv("WBTUI_WAITER", "1")  # then only the end event tells how it ended
    folder = make(tmp_path / "run", "digits_lt", "wd", "stages.0.epochs=1")
    assert train_here(folder) == 0
    assert len(refused) == 1
    assert (events(folder)[0]["type"], events(folder)[-1]["outcome"]) == ("start", "finished")
    assert "fingerprint" in json.loads((folder / "provenance.json").read_bytes())["data"]
