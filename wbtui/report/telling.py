"""What tells runs of one method apart in a list: the settings that somebody typed for some of them?"""

import re
from collections import Counter
from collections.abc import Iterable

from wbtui.store.summary import RunSummary

_SHORT = {
    "weight_decay": "wd",
    "learning_rate": "lr",
    "batch_size": "batch",
    "feature_regularization": "fr",
    "imbalance_factor": "if",
}
"""Keys that people shorten; the others keep their last word."""


def told_apart(rows: Iterable[RunSummary]) -> dict[str, str]:
    """By run id what its row says beside its name, `wd=0.001 lr=0.1`; only rows that have something to say.

    Args:
        rows: All that stand in the list. Of those with one preset and one name, what is typed for all of them alike
            says nothing; nor does what is typed for one where the preset says it for another.
    """
    groups: dict[tuple[str, str], list[RunSummary]] = {}
    for row in rows:
        groups.setdefault((row.preset, row.name or row.variant), []).append(row)
    found = {}
    for group in groups.values():
        one_setting = group[0].setting and all(row.setting == group[0].setting for row in group)
        if one_setting or all(row.typed == group[0].typed for row in group):
            continue
        shared = Counter(text for row in group for text in set(row.typed))
        for row in group:
            telling = [text for text in row.typed if shared[text] < len(group)]
            telling.sort(key=shared.__getitem__)  # what fewest have comes first: the end may find no room
            if telling:
                found[row.id] = " ".join(map(_shortened, telling))
    return found


def _shortened(text: str) -> str:
    """`wd=0.001` of `stages.0.weight_decay=0.001`; a later stage is named, `2:wd=0.001`."""
    key, _, value = text.partition("=")
    word = key.rpartition(".")[2]
    stage = re.match(r"stages\.(\d+)\.", key)
    later = f"{int(stage[1]) + 1}:" if stage and int(stage[1]) else ""
    if word == "name":  # model.name, stages.0.loss.name
        word = key.split(".")[-2]
    if key == "evaluation.batch_size":  # beside that of a stage
        word = key
    return f"{later}{_SHORT.get(word, word)}={value}"
