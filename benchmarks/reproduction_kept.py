"""What do we keep of a run of the papers' recipe, and what does what is kept say?"""

import json
import shutil
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from reproduction_plan import PROCESSOR, Planned

from wbtui.adjustment import AllAccuracy, method_named, score
from wbtui.metrics import accuracy_by_class
from wbtui.report.adjusting import Material, Request, adjust_run, load_material
from wbtui.store.reader import open_run

KEPT_OF_PROVENANCE = ("identity", "versions", "data", "model", "deterministic", "taken_over")
KEPT_EVENTS = ("start", "resume", "stage", "alert", "stop", "end", "epoch")
EVERY = 10
"""Epochs between kept `epoch` events; the first and the last are kept too."""

GROUPS = ("many", "medium", "few", "all")

# ---------------------------------------------------------------------- what is kept of a run


def keep(runs: Path, evidence: Path, wanted: Iterable[Planned]) -> list[str]:
    """Copy what the page rests on out of the finished runs of the plan; their names.

    A run that is not under `runs` keeps what stands here of it already.
    """
    kept = []
    for planned in wanted:
        source, target = source_of(runs, planned), evidence / planned.name
        if source is None:
            continue
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        config = tomllib.loads((source / "config.toml").read_text("utf-8"))
        config["data"]["root"] = Path(config["data"]["root"]).name
        (target / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
        provenance = json.loads((source / "provenance.json").read_text("utf-8"))
        _write(
            target / "provenance.json",
            {key: provenance[key] for key in KEPT_OF_PROVENANCE if key in provenance},
        )
        _write(target / "result.json", json.loads((source / "result.json").read_text("utf-8")))
        _write(target / "tables.json", tables(load_material(open_run(source)), planned.rule))
        (target / "events.jsonl").write_text(thinned(source / "events.jsonl"), "utf-8")
        kept.append(planned.name)
    return kept


def source_of(runs: Path, planned: Planned) -> Path | None:
    """The finished run folder of a planned run: named as planned by `gpu.sh paper`, by its id by `wbtui run`."""
    if planned.way != PROCESSOR:
        found = [runs / planned.name]
    else:
        wanted = (planned.preset, planned.variant, planned.seed)
        found = [
            path.parent
            for path in sorted(runs.glob("*/config.toml"), reverse=True)
            if (config := open_run(path.parent).run_config())
            and (config.preset, config.variant, config.seed) == wanted
        ]
    return next((folder for folder in found if _finished(folder / "result.json")), None)


def _finished(result: Path) -> bool:
    return result.is_file() and json.loads(result.read_text("utf-8"))["outcome"] == "finished"


def thinned(path: Path) -> str:
    """Events without what only a reader of series needs, and of the epochs every tenth."""
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    last = max((event["epoch"] for event in events if event["type"] == "epoch"), default=0)
    lines = []
    for event in events:
        if event["type"] not in KEPT_EVENTS:
            continue
        if event["type"] == "epoch":
            if event["epoch"] % EVERY and event["epoch"] not in (1, last):
                continue
            event = {key: value for key, value in event.items() if key not in ("vectors", "matrices")}
            event["scalars"] = {name: _short(value) for name, value in event["scalars"].items()}
        lines.append(json.dumps(event, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def tables(material: Material, rule: str) -> dict[str, Any]:
    """Accuracies by adjustment, and what goes by class, of one run.

    With validation images strengths are chosen on them; without, only those that the papers give are taken.
    """
    test, groups = material.test, material.groups
    adjusted: dict[str, Any] = {}
    if rule == "holdout":
        for name in ("additive", "multiplicative"):
            found = adjust_run(material, Request(method_named(name), AllAccuracy()))
            adjusted[name] = _figures(found.strength, found.basis, found.after.score.accuracy)
    else:
        method = method_named("tau_norm")  # WB22 keeps the bias
        for name, strength in (("tau_norm", 1.9), ("l2", 1.0)):
            adjusted[name] = _figures(strength, "published", score(test, groups, method, strength).accuracy)
    none = score(test, groups, method_named("none"), 0.0).accuracy
    classifier = material.run.classifier()
    by_class = accuracy_by_class(test.labels, test.logits.argmax(1), test.n_classes)
    return {
        "adjusted": {"none": _figures(0.0, "none", none), **adjusted},
        "train_counts": classifier.train_counts.tolist(),
        "classifier_norms": [_short(value) for value in classifier.norms.tolist()],
        "class_mean_feature_norms": [_short(value) for value in classifier.class_mean_feature_norms.tolist()],
        "test_accuracy_by_class": [_short(value) for value in by_class.tolist()],
    }


def _figures(strength: float, basis: str, accuracy: Any) -> dict[str, Any]:
    figures = {group: float(getattr(accuracy, group)) for group in GROUPS}
    return {"strength": strength, "basis": basis} | figures


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


# ---------------------------------------------------------------------- what is kept, read


@dataclass(frozen=True)
class Kept:
    """One kept run."""

    planned: Planned
    tables: dict[str, Any]
    final: dict[str, float]
    provenance: dict[str, Any]
    minutes: float

    def adjusted(self, key: str, group: str) -> float:
        """Test accuracy, a fraction."""
        return float(self.tables["adjusted"][key][group])

    def many_and_few(self, table: str) -> tuple[float, float]:
        """Means of a table by class over the Many and over the Few classes."""
        counts, data = np.array(self.tables["train_counts"]), self.provenance["data"]
        values = np.array(self.tables[table])
        many, few = counts > data["many_above"], counts < data["few_below"]
        return float(values[many].mean()), float(values[few].mean())

    def few_to_many(self, table: str) -> float:
        """The second of them by the first."""
        many, few = self.many_and_few(table)
        return few / many


Value = Callable[[Kept], float]


def kept_runs(evidence: Path, wanted: Iterable[Planned]) -> dict[str, Kept]:
    """The kept runs of the plan by name."""
    found = {}
    for planned in wanted:
        folder = evidence / planned.name
        if (folder / "result.json").is_file():
            read = {
                name: json.loads((folder / f"{name}.json").read_text("utf-8"))
                for name in ("tables", "result", "provenance")
            }
            result = read["result"]
            minutes = (result["ended"] - result["started"]) / 60
            found[planned.name] = Kept(planned, read["tables"], result["final"], read["provenance"], minutes)
    return found
