"""Are the images there, asked before a run folder is made, and who fetches them? No torch in this process."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from wbtui.config import DataConfig
from wbtui.data.available import available, planned_splits
from wbtui.data.source_images import AvailableData
from wbtui.errors import UsageError
from wbtui.launch.environment import child_environment


@dataclass(frozen=True)
class CheckedData:
    """What is known of images that are there; 0: only reading tells."""

    image_size: int
    """Side in pixels."""

    classes: int


def check_data(config: DataConfig, may_download: Callable[[AvailableData], bool]) -> CheckedData:
    """Refuse a run whose images are missing, damaged or too few.

    Args:
        config: the data section, its root absolute.
        may_download: asked only where a download would bring what is missing.

    Raises:
        UsageError: what is missing, where it was looked for and what to do.
    """
    found = available(config)
    if not found.ready:
        if not (found.downloadable and may_download(found)):
            raise UsageError(found.problem)
        _download(config)
    plan = planned_splits(config)
    return CheckedData(found.image_size, plan.classes if plan else 0)


def _download(config: DataConfig) -> None:
    command = [sys.executable, "-P", "-m", "wbtui.data.fetch", config.source]
    root = ["--root", config.root] if config.root else []
    done = subprocess.run([*command, *root], env=child_environment(), check=False)
    if done.returncode:
        raise UsageError(f"{config.source} could not be downloaded; the reason stands above")
