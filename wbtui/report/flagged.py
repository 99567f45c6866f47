"""Which discriminant ratios that stand beside each other are over fewer dimensions than features have?"""

from collections.abc import Sequence

from wbtui.report.entries import Entry

_SPLITS = ("train", "test")


def flagged_ratios(entries: Sequence[Entry]) -> list[str]:
    """A sentence for each split on which the scatter within classes of some setting is singular, with its ranks.

    An adjustment leaves features alone, so a setting is told once, however often it is adjusted.
    """
    return [sentence for split in _SPLITS if (sentence := _of_split(entries, split))]


def _of_split(entries: Sequence[Entry], split: str) -> str:
    ranks: dict[str, set[int]] = {}
    for entry in entries:
        flags, rank = entry.by_run(f"{split}.fdr.flagged"), entry.by_run(f"{split}.fdr.rank")
        over = {int(rank[run]) for run, flag in flags.items() if flag == 1.0 and run in rank}
        if over:
            ranks.setdefault(entry.setting.label, set()).update(over)
    if not ranks:
        return ""
    told = (f"{label} {' to '.join(map(str, _ends(over)))}" for label, over in ranks.items())
    return (
        f"FDR on {split} is over fewer dimensions than features have (few images, or dead features): "
        f"{', '.join(told)}"
    )


def _ends(numbers: set[int]) -> list[int]:
    return sorted({min(numbers), max(numbers)})
