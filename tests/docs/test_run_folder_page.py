"""docs/run-folder.md names every metric there is, and its examples read a run."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from finished_runs import COUNTS, make_run

from wbtui.adjustment import method_named, score
from wbtui.config import ModelConfig
from wbtui.metrics.groups import assign_groups
from wbtui.models.model import build_model
from wbtui.report.adjusting import load_material
from wbtui.store.format import Metric
from wbtui.store.reader import open_run
from wbtui.training.measures import Measures

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "run-folder.md").read_text("utf-8")


def test_every_metric_is_on_the_page_and_no_other() -> None:
    declared: list[Metric] = []
    writer: Any = SimpleNamespace(define=declared.append)
    data: Any = SimpleNamespace(train_counts=np.array([9, 3, 1]), class_names=("a", "b", "c"))
    model = build_model(
        ModelConfig.model_validate({"name": "resnet8", "width": 4}), classes=3, channels=1, image_size=8
    )
    Measures(data, assign_groups(data.train_counts, 8, 2), model, ["test"]).define(writer)
    table = PAGE.split("## Metrics")[1].split("## Arrays")[0]
    rows = re.findall(r"^\| (`.+?) \|", table, flags=re.MULTILINE)
    found = {re.sub(r"^(train|test)\.", "<split>.", metric.name) for metric in declared}
    assert set(re.findall(r"`([^`]+)`", " ".join(rows))) == found


@pytest.mark.parametrize("number", [0, 1], ids=["with this package", "with numpy alone"])
def test_the_examples_read_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    run = open_run(make_run(tmp_path / "runs", digits="7f3a0000"))
    monkeypatch.chdir(tmp_path)
    example = re.findall(r"```python\n(.+?)```", PAGE, flags=re.DOTALL)[number]
    assert number == 0 or "wbtui" not in example
    found: dict[str, Any] = {}
    exec(example, found)
    assert np.array_equal(found["accuracy"], run.scalars("test.accuracy.all")[1])
    assert np.array_equal(found["norms"], run.series("test.feature_norm@class").values)
    assert np.array_equal(found["logits"], run.predictions("test").logits)
    if number == 1:
        material = load_material(run)
        expected = score(material.test, material.groups, method_named("additive"), 1.0).accuracy
        assert found["counts"].tolist() == list(COUNTS)
        assert found["by_class"] == pytest.approx(expected.by_class)
        assert found["few"] == pytest.approx(expected.few)
