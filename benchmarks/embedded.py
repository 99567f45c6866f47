"""What do the embedded data show? Trains the runs of docs/embedded.md and writes the page from their folders.

    make embedded        (wbtui run for each preset, then this script with --runs runs/embedded)

`--runs DIR` copies what the page rests on (configuration, provenance, result, predictions; no checkpoints, events or
series) into docs/embedded/, and the page is always written from there; a test holds it against those folders.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wbtui.adjustment import AllAccuracy, Method, method_named
from wbtui.metrics import seed_statistics
from wbtui.report.adjusting import Material, Request, adjust_run, load_material
from wbtui.report.markup import to_markdown
from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.values import figure, percent, plus_minus
from wbtui.store.reader import Run, open_run

DOCS = Path(__file__).resolve().parents[1] / "docs"
EVIDENCE = DOCS / "embedded"
PAGE = DOCS / "embedded.md"
KEPT_OF_PROVENANCE = ("identity", "versions", "data", "model", "deterministic")
PRESETS = ("digits_lt", "glyphs_lt")
VARIANTS = ("ce", "wd", "wd_fr_etf", "wb")
METHODS = ("additive", "multiplicative", "tau_norm")

Value = Callable[[Material], float]
Runs = dict[tuple[str, str], list[Material]]


def keep(runs: Path) -> None:
    """Copy what the page rests on out of a runs folder, in place of what stood there."""
    shutil.rmtree(EVIDENCE, ignore_errors=True)
    for result in sorted(runs.glob("*/result.json")):
        source, kept = result.parent, EVIDENCE / result.parent.name
        kept.mkdir(parents=True)
        shutil.copy(source / "config.toml", kept)
        shutil.copytree(source / "predictions", kept / "predictions")
        provenance = json.loads((source / "provenance.json").read_text("utf-8"))
        _write(kept / "provenance.json", {key: provenance[key] for key in KEPT_OF_PROVENANCE})
        _write(kept / "result.json", json.loads(result.read_text("utf-8")))


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n", "utf-8")


def materials(evidence: Path) -> Runs:
    """The kept runs by preset and variant, in the order of their seeds."""
    found: Runs = {}
    for folder in sorted(path.parent for path in evidence.glob("*/config.toml")):
        material = load_material(open_run(folder))
        config = material.run.run_config()
        found.setdefault((config.preset, config.variant), []).append(material)
    for group in found.values():
        group.sort(key=lambda one: one.run.run_config().seed)
    return found


def final(metric: str) -> Value:
    """A final figure by its metric name."""
    return lambda material: _final(material.run)[metric]


def _final(run: Run) -> Any:
    assert run.result is not None
    return run.result.final


def tail_to_head(material: Material) -> float:
    """Mean ‖μ_k‖ of the Few classes over that of the Many, on the training split."""
    norms = material.run.classifier().class_mean_feature_norms
    return float(norms[material.groups.classes("few")].mean() / norms[material.groups.classes("many")].mean())


def adjusted(method: Method, group: str) -> Value:
    """Test accuracy with a strength chosen on validation."""

    def value(material: Material) -> float:
        found = adjust_run(material, Request(method, AllAccuracy()))
        return float(getattr(found.after.score.accuracy, group))

    return value


def cell(value: Value, runs: Sequence[Material], write: Callable[[float], str]) -> Cell:
    """Mean ± sample standard deviation."""
    found = seed_statistics(np.array([value(one) for one in runs]))
    return Cell(plus_minus(write(found.mean), write(found.std)), found.mean)


def training_table(preset: str, runs: Runs) -> Table:
    """What training alone came to."""
    accuracies = [
        (f"test.accuracy.{key}", title)
        for key, title in (("all", "All"), ("many", "Many"), ("medium", "Medium"), ("few", "Few"))
    ]
    columns = [Column("variant", "variant", right=False), *(Column(key, title) for key, title in accuracies)]
    columns += [
        Column("fdr", "FDR test"),
        Column("bn", "BN scale"),
        Column("cosine", "cosine, inter"),
        Column("norms", "‖μ‖ tail/head"),
    ]
    rows = []
    for variant in VARIANTS:
        own = runs[preset, variant]
        cells = [text_cell(variant), *(cell(final(key), own, percent) for key, _ in accuracies)]
        for value in (final("test.fdr"), final("bn.scale.mean"), final("test.cosine.inter"), tail_to_head):
            cells.append(cell(value, own, figure))
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def adjustment_table(preset: str, runs: Runs) -> Table:
    """What logit adjustment makes of the same runs."""
    methods = [method_named(name) for name in METHODS]
    columns = [
        Column("variant", "variant", right=False),
        Column("none", "none: All"),
        Column("none_few", "Few"),
    ]
    for method in methods:
        columns += [Column(method.name, f"{method.title}: All"), Column(f"{method.name}_few", "Few")]
    rows = []
    for variant in VARIANTS:
        own = runs[preset, variant]
        cells = [text_cell(variant), cell(final("test.accuracy.all"), own, percent)]
        cells.append(cell(final("test.accuracy.few"), own, percent))
        for method in methods:
            cells += [cell(adjusted(method, group), own, percent) for group in ("all", "few")]
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def page(evidence: Path) -> str:
    """The whole page, from the kept folders alone."""
    runs = materials(evidence)
    one = next(iter(runs.values()))[0].run
    identity, versions = one.provenance["identity"], one.provenance["versions"]
    seeds = sorted({material.run.run_config().seed for group in runs.values() for material in group})
    parts = [
        "# The embedded data",
        "",
        "Two small data sets travel inside the package, so that every effect of the papers shows in seconds on a CPU:",
        "`digits_lt`, the real 8x8 digits of UCI, and `glyphs_lt`, a 5x7 alphabet made in code.",
        "",
        f"Written by `make embedded` from the folders under `docs/embedded/`. {identity['processor']}, "
        f"{identity['threads']} torch thread a run, {identity['precision']}, torch {versions['torch']}, numpy "
        f"{versions['numpy']}, Python {versions['python']}; n = {len(seeds)} seeds ({', '.join(map(str, seeds))}) "
        "everywhere, mean ± sample standard deviation; test accuracy in %, the last epoch, no test-time augmentation.",
    ]
    for preset in PRESETS:
        material = runs[preset, "ce"][0]
        counts = ", ".join(map(str, material.test.train_counts.tolist()))
        sizes = "/".join(str(count) for count in material.groups.sizes().values())
        parts += [
            *("", f"## {preset}", ""),
            f"{material.run.provenance['data']['description']}. Training images a class: {counts}; groups "
            f"(Many/Medium/Few) of {sizes} classes; {material.test.n_images} test images.",
            *("", to_markdown(training_table(preset, runs)), ""),
            "With logit adjustment, its strength chosen for All on each run's own validation images:",
            *("", to_markdown(adjustment_table(preset, runs))),
        ]
    return "\n".join(parts) + "\n\n" + READING


READING = """## How to read it

* FDR is Fisher's discriminant ratio of the test features, BN scale the mean over all BatchNorm scales γ, cosine the
  mean cosine similarity between features of different classes, ‖μ‖ tail/head the mean norm of the Few classes' mean
  training features over that of the Many classes.
* Down the first table: weight decay raises FDR, shrinks γ and the cosine similarity, and lengthens the tail's features;
  feature regularization with an ETF classifier raises FDR further on glyphs, not on digits.
* What weight decay improves most are the features: the second table shows what an adjustment makes of them. Stage 2 of
  `wb` is such an adjustment, implicit in its weights: a further one adds little on digits and nothing on glyphs.
* The rows of an ETF classifier have norm 1, and so has any power of it: τ-normalisation (bias kept) changes nothing.
* With 20 validation images a class the chosen strength is uncertain by several tenths; `wbtui adjust` prints the range.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs", type=Path, help="a runs folder to take the runs from; without it docs/embedded stays"
    )
    args = parser.parse_args()
    if args.runs:
        keep(args.runs)
    PAGE.write_text(page(EVIDENCE), "utf-8")


if __name__ == "__main__":
    main()
