"""docs/embedded.md says what the run folders beside it say, and those hold together."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from wbtui.adjustment import method_named
from wbtui.report.adjusting import load_material
from wbtui.store.reader import open_run

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "docs" / "embedded").glob("*/config.toml"))


@pytest.fixture(scope="module")
def embedded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("embedded", ROOT / "benchmarks" / "embedded.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_its_folders_say(embedded: ModuleType) -> None:
    written = (ROOT / "docs" / "embedded.md").read_text("utf-8")
    assert embedded.page(ROOT / "docs" / "embedded") == written


def test_three_seeds_of_every_variant_are_kept(embedded: ModuleType) -> None:
    found = embedded.materials(ROOT / "docs" / "embedded")
    assert {key: len(group) for key, group in found.items()} == {
        (preset, variant): 3 for preset in embedded.PRESETS for variant in embedded.VARIANTS
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_kept_figures_follow_from_the_kept_logits(folder: Path) -> None:
    run = open_run(folder)
    test = run.predictions("test")
    hits = [np.mean(test.logits[test.labels == k].argmax(1) == k) for k in range(test.logits.shape[1])]
    assert run.result is not None
    assert run.result.final["test.accuracy.all"] == pytest.approx(np.mean(hits))
    counts = run.classifier().train_counts
    few = counts < run.run_config().data.few_below
    assert run.result.final["test.accuracy.few"] == pytest.approx(np.mean(np.array(hits)[few]))


@pytest.mark.parametrize(
    "folder", [one for one in FOLDERS if "-wd_fr_etf-" in one.name], ids=lambda one: one.name
)
def test_no_power_of_the_norms_of_an_etf_changes_a_class(folder: Path) -> None:
    test = load_material(open_run(folder)).test
    for strength in (0.5, 1.0, 3.0):
        adjusted = method_named("tau_norm").predict(test, None, strength)
        assert (adjusted == test.logits.argmax(axis=1)).all()
