"""Logit adjustments saved under finished runs."""

from pathlib import Path
from typing import Any

from wbtui.adjustment import AllAccuracy, method_named
from wbtui.report.adjusting import Request, adjust_run, load_material
from wbtui.report.derived import save_derived
from wbtui.store.reader import open_run


def save_adjusted(folder: Path, **how: Any) -> str:
    """Save an additive adjustment under a run, as `Request` says how; its name."""
    one = adjust_run(load_material(open_run(folder)), Request(method_named("additive"), AllAccuracy(), **how))
    return save_derived(one.material.run, one.derived()).stem
