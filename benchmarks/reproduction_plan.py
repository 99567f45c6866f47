"""Which runs does docs/reproduction.md rest on, in which order of need, and which command makes each? No torch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

GRAPHS_BF16, EAGER_FP32, PROCESSOR = "graphs-bf16", "eager-fp32", "processor"
VARIANTS = ("ce", "wd", "wd_no_bn", "wd_fixed_bn", "wb", "wd_etf", "wd_fr", "wd_fr_etf")
SEEDS = (0, 1, 2)
NO_DECAY = ("stages.1.weight_decay=0.0", "stages.1.constraint=none")
"""Of stage 2: the class-balanced loss alone."""


@dataclass(frozen=True)
class Short:
    """A recipe that a processor can train, and what of it is trained; `holdout` split."""

    preset: str
    variants: tuple[str, ...]
    seeds: tuple[int, ...]


SHORT = (
    Short("cifar10_lt_short", VARIANTS, (0, 1, 2, 3)),
    Short("cifar100_lt_short", ("ce", "wd", "wb", "wd_fr_etf"), (0, 1)),
)


@dataclass(frozen=True)
class Planned:
    """One run of the papers' recipe, or of a short one."""

    preset: str
    rule: str
    variant: str
    seed: int
    way: str = GRAPHS_BF16
    tta: str = "none"
    """flip: the weights of the same run without, measured again."""

    change: str = ""
    """Names `settings`."""

    settings: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The variant, and what was changed of it."""
        return f"{self.variant}_{self.change}" if self.change else self.variant

    @property
    def name(self) -> str:
        """Of its run folder."""
        return self.plain_name + ("-flip" if self.tta == "flip" else "")

    @property
    def plain_name(self) -> str:
        """Of the run whose weights it measures."""
        way = "" if self.way in (GRAPHS_BF16, PROCESSOR) else f"-{self.way}"
        return f"{self.preset}-{self.rule}-{self.method}-s{self.seed}{way}"

    @property
    def first_stage(self) -> str:
        """Name of the run that is this one's first stage, seed and all; empty: no run of the plan is."""
        if self.variant != "wb":
            return ""
        return replace(self, variant="wd", tta="none", change="", settings=()).name

    @property
    def goes_on_from(self) -> str:
        """Name of the run whose weights it needs, or can take over; empty: it begins anew."""
        return self.plain_name if self.tta == "flip" else self.first_stage

    @property
    def command(self) -> str:
        """What makes it."""
        return command([self])


def plan() -> tuple[Planned, ...]:
    """Every run, the most needed first: WB22's own logs, its table, the precision study, then our own seeds."""
    runs: list[Planned] = []
    for seed in SEEDS:
        for variant in ("ce", "wd", "wb"):
            runs.append(Planned("cifar100_lt", "full", variant, seed))
            runs.append(Planned("cifar100_lt", "full", variant, seed, tta="flip"))
        changed = {"change": "no_decay", "settings": NO_DECAY}
        runs.append(Planned("cifar100_lt", "full", "wb", seed, **changed))  # type: ignore[arg-type]
        runs.append(Planned("cifar100_lt", "full", "wb", seed, tta="flip", **changed))  # type: ignore[arg-type]
        if seed == 0:
            runs.append(Planned("cifar100_lt", "full", "wd", seed, way=EAGER_FP32))
    for seed in SEEDS:
        for preset in ("cifar100_lt", "cifar10_lt"):
            runs += [Planned(preset, "holdout", variant, seed) for variant in VARIANTS]
    for seed in SEEDS[1:]:
        runs.append(Planned("cifar100_lt", "full", "wd", seed, way=EAGER_FP32))
    return tuple(runs)


def short_plan() -> tuple[Planned, ...]:
    """Every run of the short recipes, which `wbtui run` makes."""
    return tuple(
        Planned(recipe.preset, "holdout", variant, seed, way=PROCESSOR)
        for recipe in SHORT
        for variant in recipe.variants
        for seed in recipe.seeds
    )


def command(runs: Sequence[Planned]) -> str:
    """What makes runs of one preset and variant."""
    if runs[0].way == PROCESSOR:
        seeds = ",".join(str(one.seed) for one in runs)
        return f"wbtui run --preset {runs[0].preset} --variant {runs[0].variant} --seed {seeds}"
    return f"benchmarks/gpu.sh paper {' '.join(one.name for one in runs)}"


def named(name: str) -> Planned | None:
    """The planned run of that name."""
    return next((planned for planned in plan() if planned.name == name), None)
