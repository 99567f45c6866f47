"""Which runs does a command line ask for, and can they be? Nothing is made before every one of them is checked."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from wbtui.cli.follow import is_terminal
from wbtui.config import DataConfig
from wbtui.data.source_images import AvailableData
from wbtui.errors import UsageError
from wbtui.launch.data_check import check_data
from wbtui.launch.grid import Point, expand
from wbtui.launch.probe import check_device
from wbtui.launch.start import absolute_root, make_run
from wbtui.presets import Resolved, parse_value, resolve


@dataclass(frozen=True)
class Request:
    """The options that say what to run, as typed."""

    preset: str
    variant: str
    seed: str
    settings: Sequence[str]
    device: str | None
    data_root: Path | None
    config_file: Path | None
    name: str | None

    def resolve(self) -> list[Resolved]:
        """One configuration, or with lists in the options all their combinations.

        Raises:
            UsageError: nothing to run, or a value that cannot be.
        """
        if not self.preset and self.config_file is None:
            raise UsageError(
                "nothing to run: expected --preset NAME (`wbtui presets` lists them) or --config FILE"
            )
        return [self._resolve(point) for point in expand(self.variant, self.seed, self.settings)]

    def _resolve(self, point: Point) -> Resolved:
        options = {
            "seed": parse_value(point.seed) if point.seed else None,
            "device": self.device,
            "data.root": str(self.data_root) if self.data_root else None,
            "name": self.name,
        }
        given = {key: value for key, value in options.items() if value is not None}
        found = resolve(self.preset, point.variant, self.config_file, point.settings, given)
        typed = {"data.root": "--data-root"} if self.data_root else {}
        return replace(found, origins=dict(found.origins) | typed)


def check_all(resolved: Sequence[Resolved], download: bool) -> None:
    """Refuse runs whose device or images are not there.

    Args:
        resolved: the runs.
        download: whether missing images are fetched without asking.

    Raises:
        UsageError: what is missing and what to do.
    """
    devices, data = dict.fromkeys(one.config.device for one in resolved), list[DataConfig]()
    for one in resolved:
        if (section := absolute_root(one.config.data)) not in data:
            data.append(section)
    for device in devices:
        check_device(device)
    for section in data:
        check_data(section, lambda found: download or _ask(found))


def _ask(found: AvailableData) -> bool:
    return is_terminal() and typer.confirm(f"{found.problem}\nDownload now?")


def make_all(runs: Path, resolved: Sequence[Resolved], tags: Sequence[str], note: str) -> list[Path]:
    """Make the folders of these runs.

    Raises:
        UsageError: a tag or the note cannot be; no folder is left behind.
    """
    return [make_run(runs, one, command=sys.argv, tags=tags, note=note) for one in resolved]
