"""Exported weights are those that made the predictions: loaded into a fresh net, they make them again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tomli_w
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from wbtui.cli.main import main
from wbtui.config import ModelConfig
from wbtui.data.longtail import load
from wbtui.errors import MissingPackageError, UsageError
from wbtui.models.model import build_model
from wbtui.presets import resolve
from wbtui.store.reader import open_run
from wbtui.training.export import export_weights


@pytest.fixture(scope="module", params=[("last", "wd_fr_etf"), ("best_validation", "ldam_drw")])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three epochs, by the trainer itself: of an ETF, and of a cosine classifier with the scale of LDAM."""
    selection, variant = request.param
    made = tmp_path_factory.mktemp("runs") / f"20261123-114500-digits_lt-{variant}-s0-abcd0123"
    made.mkdir()
    settings = ["stages.0.epochs=3", "device=cpu", f"evaluation.selection={selection}"]
    settings += ["stages.0.loss.scale=12"] if variant == "ldam_drw" else []
    config = resolve("digits_lt", variant, settings=settings).config
    (made / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    trained = subprocess.run(
        [sys.executable, "-m", "wbtui.training", str(made)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert trained.returncode == 0, trained.stderr
    return made


def test_a_fresh_net_with_exported_weights_makes_the_stored_logits(folder: Path, tmp_path: Path) -> None:
    run = open_run(folder)
    backbone, classifier = export_weights(run, tmp_path)
    assert backbone.parent == tmp_path / run.id
    config = run.run_config()
    data = load(config.data)
    with safe_open(classifier, "pt") as file:
        told = file.metadata()
    net = ModelConfig(**json.loads(told["model"]))
    model = build_model(net, data.classes, data.channels, data.image_size)
    model.backbone.load_state_dict(load_file(backbone))
    model.head.load_state_dict(load_file(classifier))
    mean, std = (torch.tensor(json.loads(told[key])).view(1, -1, 1, 1) for key in ("image_mean", "image_std"))
    images, labels = data.split("test")
    with torch.no_grad():
        logits, _ = model.eval()((images.float() / 255 - mean) / std)
    stored = run.predictions("test")
    assert (stored.labels == labels.numpy()).all()
    np.testing.assert_allclose(logits.numpy(), stored.logits, rtol=1e-4, atol=1e-4)
    assert told["weights"] == run.predictions_meta().weights == config.evaluation.selection
    assert told["epoch"] == str(run.predictions_meta().epoch)
    assert net.head == config.model.head


def test_the_command_has_torch_read_them_in_a_process_of_its_own(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(folder), "--safetensors", str(tmp_path / "out")]) == 0
    files = sorted((tmp_path / "out" / folder.name).iterdir())
    assert [path.name for path in files] == ["backbone.safetensors", "classifier.safetensors"]
    assert capfd.readouterr().out.split() == [str(path) for path in files]


def test_weights_that_are_gone_broken_or_of_another_epoch_are_said(folder: Path, tmp_path: Path) -> None:
    run = open_run(folder)
    best = run.predictions_meta().weights == "best_validation"
    path = folder / ("best.pt" if best else "checkpoint.pt")
    kept = path.read_bytes()
    try:
        path.write_bytes(kept[:1000])
        with pytest.raises(UsageError, match="can read"):
            export_weights(run, tmp_path)
        path.write_bytes(b"x" * 1000)
        with pytest.raises(UsageError, match=r"can read: damaged, or more than tensors and plain values$"):
            export_weights(run, tmp_path)
        path.unlink()
        with pytest.raises(UsageError, match="pruned"):
            export_weights(run, tmp_path)
        path.write_bytes(kept)
        saved = torch.load(path, weights_only=True)
        (saved if best else saved["position"])["epoch" if best else "epochs_done"] += 5
        torch.save(saved, path)
        with pytest.raises(UsageError, match="expected one that made them"):
            export_weights(run, tmp_path)
    finally:
        path.write_bytes(kept)
    assert not (tmp_path / run.id).exists()


def test_imported_predictions_have_no_weights(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('preset = "imported"\n', "utf-8")
    with pytest.raises(UsageError, match="come without weights"):
        export_weights(open_run(tmp_path), tmp_path / "out")


def test_without_the_package_the_extra_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingPackageError, match=r"--safetensors: .*pip install 'wbtui\[export\]'"):
        export_weights(open_run(folder), tmp_path)
