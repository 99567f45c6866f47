"""What do our runs of the papers' recipe come to beside the published figures? Writes docs/reproduction.md.

    python benchmarks/reproduction.py [--runs DIR]

`--runs DIR` first copies what the page rests on out of the run folders that `benchmarks/gpu.sh paper` made, or
`wbtui run` of the short recipes, into benchmarks/results/reproduction/: configuration and provenance without
paths, result, thinned events, tables; no predictions, series or checkpoints. The page is always written from there; a
test holds it against those folders.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from reproduction_kept import GROUPS, Kept, Value, keep, kept_runs
from reproduction_plan import (
    EAGER_FP32,
    GRAPHS_BF16,
    PROCESSOR,
    SHORT,
    VARIANTS,
    Planned,
    Short,
    command,
    plan,
    short_plan,
)
from reproduction_short import SHORT_ACCURACIES, SHORT_GOES_ON, SHORT_RATIOS, SHORT_TOLD

from wbtui.metrics import seed_statistics
from wbtui.report.differences import interval_over_seeds
from wbtui.report.markup import to_markdown
from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.values import figure, percent, plus_minus, points

ROOT = Path(__file__).resolve().parents[1]
EVIDENCE = ROOT / "benchmarks" / "results" / "reproduction"
PAGE = ROOT / "docs" / "reproduction.md"
FINDING = 0.01
"""A larger difference from a published accuracy is a finding, to be chased."""

# ---------------------------------------------------------------------- what was published


@dataclass(frozen=True)
class Published:
    """One published row, in percent, and which of our runs stands beside it."""

    title: str
    method: str
    """`Planned.method`."""

    figures: dict[str, float]
    adjusted: str = "none"
    """A key of a run's adjusted tables."""


LOGS = (
    Published("naive (CE, WD 0)", "ce", {"all": 39.13}),
    Published("WD", "wd", {"all": 46.76}),
    Published("WD → CB & WD & MaxNorm", "wb", {"all": 51.83}),
)
"""WB22's own logs: `full` split, no TTA, last epoch, ResNet34, 320 epochs, single runs."""


def _row(title: str, method: str, figures: Sequence[float], adjusted: str = "none") -> Published:
    return Published(title, method, dict(zip(GROUPS, figures, strict=True)), adjusted)


TABLE_1 = (
    _row("naive (CE, WD 0)", "ce", (64.05, 35.80, 11.43, 38.38)),
    _row("WD", "wd", (76.94, 44.28, 12.17, 46.08)),
    _row("WD + τ-norm", "wd", (73.11, 47.69, 30.10, 51.31), "tau_norm"),
    _row("WD + L2", "wd", (76.09, 47.74, 20.87, 49.60), "l2"),
    _row("WD → CB", "wb_no_decay", (77.00, 45.89, 13.60, 47.09)),
    _row("WD → CB & WD & MaxNorm", "wb", (72.60, 51.86, 32.63, 53.35)),
)
"""WB22, Table 1: CIFAR100-LT, IF 100; single runs, their TTA and test selection."""

NORMS = {"ce": (2.2, 1.25), "wd": (1.09, 0.43), "wb": (0.0022, 0.0036)}
"""Classifier norms of head and tail: WB22's runs."""

GAMMAS = {"cifar100_lt": 0.65, "cifar10_lt": 1.6}
"""Released best strength of multiplicative adjustment on WD & FR & ETF (WB24)."""

# ---------------------------------------------------------------------- the page


class Page:
    """The page as it grows."""

    def __init__(self, evidence: Path, wanted: Sequence[Planned]) -> None:
        self.wanted, self.kept = wanted, kept_runs(evidence, wanted)
        self.recipe = [planned for planned in wanted if planned.way != PROCESSOR]
        self.findings: list[str] = []

    def runs(self, **wanted: str) -> list[Kept]:
        """Kept runs whose plan says so."""
        return [kept for kept in self.kept.values() if _fits(kept.planned, wanted)]

    def missing(self, **wanted: str) -> list[Planned]:
        """Planned runs that are not kept."""
        return [one for one in self.wanted if _fits(one, wanted) and one.name not in self.kept]

    # ------------------------------------------------------------------ sections

    def beside(self, rows: Sequence[Published], tta: str) -> list[str]:
        """Published rows and ours, with differences."""
        shown = [group for group in GROUPS if group in rows[0].figures]
        columns = [Column("row", "", right=False)]
        for group in shown:
            title = group.capitalize()
            columns += [Column(group, f"{title}: published"), Column(f"{group}_ours", "ours")]
            columns += [Column(f"{group}_difference", "difference")]
        columns += [Column("n", "n")]
        cells = []
        for row in rows:
            own = self.runs(preset="cifar100_lt", rule="full", method=row.method, way=GRAPHS_BF16, tta=tta)
            cells.append(tuple(self._beside(row, shown, own, tta)))
        missing = {
            name: self.missing(preset="cifar100_lt", rule="full", method=name, way=GRAPHS_BF16, tta=tta)
            for name in dict.fromkeys(row.method for row in rows)
        }
        return [to_markdown(Table(tuple(columns), tuple(cells))), *_commands(missing)]

    def _beside(self, row: Published, shown: Sequence[str], own: list[Kept], tta: str) -> list[Cell]:
        cells = [text_cell(row.title)]
        for group in shown:
            published = row.figures[group] / 100
            cells.append(Cell(percent(published, 2), published))
            if not own:
                cells += [text_cell("not run"), text_cell("-")]
                continue
            ours = seed_statistics(np.array([one.adjusted(row.adjusted, group) for one in own]))
            apart = ours.mean - published
            mark = " (!)" if abs(apart) > FINDING else ""
            cells += [_spread(ours, lambda value: percent(value, 2)), text_cell(points(apart) + mark)]
            if mark:
                self.findings.append(f"{row.title}, {group}, TTA {tta}: {points(apart)} points")
        return [*cells, text_cell(str(len(own)))]

    def norms(self) -> list[str]:
        """Classifier norms of head and tail."""
        columns = [Column("row", "", right=False), Column("published", "published: head → tail")]
        columns += [Column("ours", "ours: Many → Few"), Column("n", "n")]
        rows = []
        for name, (head, tail) in NORMS.items():
            own = self.runs(preset="cifar100_lt", rule="full", method=name, way=GRAPHS_BF16, tta="none")
            means = np.array([one.many_and_few("classifier_norms") for one in own]).T
            ours = " → ".join(_spread(seed_statistics(side), figure).text for side in means) or "not run"
            cells = (name, f"{head:g} → {tail:g}", ours, str(len(own)))
            rows.append(tuple(text_cell(cell) for cell in cells))
        return [to_markdown(Table(tuple(columns), tuple(rows)))]

    def ours(self, preset: str, variants: Sequence[str] = VARIANTS) -> list[str]:
        """Our runs under the holdout rule: variants, adjusted, and their geometry."""
        columns = [Column("variant", "variant", right=False)]
        for key, title in (("none", "none"), ("additive", "additive"), ("multiplicative", "multiplicative")):
            columns += [Column(key, f"{title}: All"), Column(f"{key}_few", "Few")]
        columns += [Column("strength", "γ")]
        geometry: list[tuple[str, Value]] = [
            ("FDR train", lambda run: run.final["train.fdr"]),
            ("FDR test", lambda run: run.final["test.fdr"]),
            ("cosine, inter", lambda run: run.final["test.cosine.inter"]),
            ("BN scale", lambda run: run.final["bn.scale.mean"]),
            ("‖w‖ Few/Many", lambda run: run.few_to_many("classifier_norms")),
            ("‖μ‖ Few/Many", lambda run: run.few_to_many("class_mean_feature_norms")),
        ]
        columns += [*(Column(title, title) for title, _ in geometry), Column("n", "n")]
        rows = [self._ours(preset, variant, columns, geometry) for variant in variants]
        missing = {name: self.missing(preset=preset, rule="holdout", method=name) for name in variants}
        return [to_markdown(Table(tuple(columns), tuple(rows))), *_commands(missing)]

    def _ours(
        self, preset: str, variant: str, columns: Sequence[Column], geometry: Sequence[tuple[str, Value]]
    ) -> tuple[Cell, ...]:
        own = self.runs(preset=preset, rule="holdout", method=variant)
        if not own:
            return (text_cell(variant), text_cell("not run"), *(text_cell("-") for _ in columns[2:]))
        cells = [text_cell(variant)]
        for key in ("none", "additive", "multiplicative"):
            for group in ("all", "few"):
                values = seed_statistics(np.array([one.adjusted(key, group) for one in own]))
                cells.append(_spread(values, percent))
        strengths = [one.tables["adjusted"]["multiplicative"]["strength"] for one in own]
        cells.append(_spread(seed_statistics(np.array(strengths)), figure))
        for _, value in geometry:
            cells.append(_spread(seed_statistics(np.array([value(one) for one in own])), figure))
        return (*cells, text_cell(str(len(own))))

    def precision(self) -> list[str]:
        """The full WD run by recorded bf16 steps and by eager fp32."""
        figures: list[tuple[str, Value, Callable[[float], str]]] = [
            ("All", lambda run: run.adjusted("none", "all"), lambda value: percent(value, 2)),
            ("Few", lambda run: run.adjusted("none", "few"), lambda value: percent(value, 2)),
            ("FDR train", lambda run: run.final["train.fdr"], figure),
            ("FDR test", lambda run: run.final["test.fdr"], figure),
            ("BN scale", lambda run: run.final["bn.scale.mean"], figure),
        ]
        columns = [Column("way", "", right=False), *(Column(title, title) for title, _, _ in figures)]
        rows = []
        for way in (GRAPHS_BF16, EAGER_FP32):
            own = self.runs(preset="cifar100_lt", rule="full", method="wd", way=way, tta="none")
            cells = [text_cell(way)]
            for _, value, write in figures:
                values = seed_statistics(np.array([value(one) for one in own]))
                cells.append(_spread(values, write) if own else text_cell("not run"))
            rows.append((*cells, text_cell(str(len(own)))))
        wanted = {"preset": "cifar100_lt", "rule": "full", "method": "wd", "way": EAGER_FP32}
        table = Table((*columns, Column("n", "n")), tuple(rows))
        return [to_markdown(table), *_commands({"wd": self.missing(**wanted)})]

    def short(self, recipe: Short) -> list[str]:
        """What a processor can train."""
        own, told = self.runs(preset=recipe.preset), SHORT_TOLD[recipe.preset]
        made = ""
        if own:
            provenance = own[0].provenance
            identity, versions = provenance["identity"], provenance["versions"]
            lasted = sorted(one.minutes for one in own if one.planned.variant not in SHORT_GOES_ON)
            made = (
                f"{identity['processor']}, {told.at_once} runs at once with {identity['threads']} torch thread each, "
                f"{identity['precision']}, torch {versions['torch']}, Python {versions['python']}; "
                f"{lasted[0]:.0f} to {lasted[-1]:.0f} minutes a run of one stage, "
                "with other work on the machine."
            )
        seeds = ",".join(map(str, recipe.seeds))
        one_stage = ",".join(variant for variant in recipe.variants if variant not in SHORT_GOES_ON)
        return [
            *("", f"## {told.title} on a processor: the short recipe", ""),
            f"`{recipe.preset}`: {told.what}",
            *(("", made) if made else ()),
            *("", *self.ours(recipe.preset, recipe.variants)),
            *(("", *self.short_differences(recipe)) if own else ()),
            *("", "Made and written by:", "", "```"),
            "wbtui queue start --runs runs/short --slots cpu=2",
            f"wbtui run --runs runs/short --preset {recipe.preset} --variant {one_stage} --seed {seeds} "
            "--set threads=1 --download",
            f"wbtui run --runs runs/short --from RUN,RUN,... --variant {','.join(SHORT_GOES_ON)}  # those of wd",
            "python benchmarks/reproduction.py --runs runs/short",
            "```",
            *(("", told.reading) if own else ()),
        ]

    def short_differences(self, recipe: Short) -> list[str]:
        """What of a short recipe's figures holds against seed noise: differences, with intervals."""

        def accuracies(method: str, adjustment: str) -> np.ndarray:
            own = self.runs(preset=recipe.preset, method=method)
            return np.array([one.adjusted(adjustment, "all") for one in own])

        def ratios(method: str) -> np.ndarray:
            return np.array([one.final["test.fdr"] for one in self.runs(preset=recipe.preset, method=method)])

        columns = [Column("pair", "", right=False), Column("difference", "difference")]
        columns += [Column("interval", "95 % interval"), Column("rule", "", right=False), Column("n", "n")]
        apart = [
            _difference(
                f"{_with(first, key)} - {_with(second, other)}",
                accuracies(first, key),
                accuracies(second, other),
                points,
                # `wb` goes on from the runs of `wd`: theirs are results of the same runs, those of others are not.
                paired=first == "wd" and second in SHORT_GOES_ON,
            )
            for first, key, second, other in SHORT_ACCURACIES
            if {first, second} <= set(recipe.variants)
        ]
        wider = [
            _difference(f"{first} - {second}", ratios(first), ratios(second), _signed)
            for first, second in SHORT_RATIOS
            if {first, second} <= set(recipe.variants)
        ]
        return [
            "Accuracy of all test images, in points. An interval that holds 0 tells nothing apart; none is widened for",
            "how many there are:",
            *("", to_markdown(Table(tuple(columns), tuple(apart))), ""),
            "FDR on test images:",
            *("", to_markdown(Table(tuple(columns), tuple(wider)))),
        ]

    # ------------------------------------------------------------------ the whole

    def text(self) -> str:
        """The whole page, from the kept folders alone."""
        logs, table_1 = self.beside(LOGS, "none"), self.beside(TABLE_1, "flip")
        parts = [
            "# Reproduction",
            "",
            "CIFAR-100-LT and CIFAR-10-LT, IF 100, ResNet34 for 32x32, 320 epochs, batch 64: the papers' recipe, ours",
            "beside the published figures. `python benchmarks/reproduction.py` writes this page from the folders under",
            "`benchmarks/results/reproduction/`; mean ± sample standard deviation over n seeds, accuracy in %.",
            "",
            self._provenance(),
            "",
            "WB22: Alshammari et al., CVPR 2022. WB24: Hasegawa & Sato, ICLR 2024. A difference from a published",
            f"accuracy of more than {100 * FINDING:.0f} point is marked (!): a finding, to be chased.",
            *(line for recipe in SHORT for line in self.short(recipe)),
            *("", "## WB22's own logs", ""),
            "`full` split (no validation images), no test-time augmentation, last epoch; theirs single runs.",
            *("", *logs),
            *("", "## WB22, Table 1", ""),
            "Theirs: single runs, their test-time augmentation and selection on test. Ours: the last epoch under",
            "`evaluation.tta = flip`, nothing selected on test; τ 1.9 (bias kept) and L2 = τ 1 taken as published.",
            *("", *table_1),
            *("", "## Classifier norms", ""),
            "‖w‖ of a class, WB22's runs and ours (mean over Many → mean over Few): naive, WD, and after stage 2.",
            *("", *self.norms()),
        ]
        for preset, title in (("cifar100_lt", "CIFAR-100-LT"), ("cifar10_lt", "CIFAR-10-LT")):
            parts += [
                *("", f"## {title}, `holdout` split: ours", ""),
                "20 validation images a class select the weights and the strength of an adjustment; no test-time",
                "augmentation. WB24's own figures are not available to us: all of these are ours. γ is the strength",
                f"chosen for the multiplicative adjustment (WB24's released best on `wd_fr_etf`: {GAMMAS[preset]:g}).",
                "FDR, cosine and BN scale as in [embedded.md](embedded.md); Few/Many: mean over Few by mean over Many.",
                *("", *self.ours(preset)),
            ]
        parts += [
            *("", "## bf16 graphs against fp32 eager", ""),
            "The full WD run (CIFAR-100-LT, `full` split) by recorded steps under bf16 and by the reference.",
            *("", *self.precision()),
            *("", "## Findings", ""),
            *self._findings(),
        ]
        return "\n".join(parts) + "\n"

    def _provenance(self) -> str:
        own = [self.kept[planned.name] for planned in self.recipe if planned.name in self.kept]
        if not own:
            return (
                f"**None of the {len(self.recipe)} planned runs has been made**: no GPU has been at hand. What stands\n"
                "here is published; `benchmarks/gpu.sh paper` makes the runs, in slices of under nine minutes."
            )
        devices = {(one.provenance["identity"]["device"], one.provenance["versions"]["torch"]) for one in own}
        where = "; ".join(f"{device}, torch {torch}" for device, torch in sorted(devices))
        return f"{len(own)} of {len(self.recipe)} runs have been made: {where}."

    def _findings(self) -> list[str]:
        if self.findings:
            return [f"* {finding}" for finding in self.findings]
        compared = self.runs(preset="cifar100_lt", rule="full", way=GRAPHS_BF16)
        return ["None above one point." if compared else "None yet: nothing has been compared."]


def _fits(planned: Planned, wanted: dict[str, str]) -> bool:
    return all(getattr(planned, key) == value for key, value in wanted.items())


def _spread(found: Any, write: Callable[[float], str]) -> Cell:
    return Cell(plus_minus(write(found.mean), write(found.std)), found.mean)


def _difference(
    title: str, after: np.ndarray, before: np.ndarray, write: Callable[[float], str], *, paired: bool = False
) -> tuple[Cell, ...]:
    """A row: the difference of two means over seeds, with its interval by `report.differences`."""
    if min(len(before), len(after)) < 2:
        return tuple(map(text_cell, (title, "-", "-", "-", f"{len(after)}, {len(before)}")))
    paired = paired and len(before) == len(after)
    interval = interval_over_seeds(before, after, paired=paired)
    between = f"{write(interval.low)} to {write(interval.high)}" if interval else "-"
    apart, rule = write(float(after.mean() - before.mean())), "paired" if paired else "Welch"
    return tuple(map(text_cell, (title, apart, between, rule, f"{len(after)}, {len(before)}")))


def _signed(value: float) -> str:
    return f"{value:+.2f}"


def _with(variant: str, adjustment: str) -> str:
    return variant if adjustment == "none" else f"{variant} + {adjustment}"


def _commands(missing: dict[str, list[Planned]]) -> list[str]:
    """What would make the runs that are not there."""
    lines = [command(runs) for runs in missing.values() if runs]
    return ["", "Not run:", "", "```", *lines, "```"] if lines else []


def everything() -> tuple[Planned, ...]:
    """What the page tells of."""
    return (*short_plan(), *plan())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, help="the folder of runs to take them from")
    args = parser.parse_args()
    if args.runs:
        for name in keep(args.runs, EVIDENCE, everything()):
            print(f"kept {name}")
    PAGE.write_text(Page(EVIDENCE, everything()).text(), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
