"""Can these runs be? Their devices, engines and images are asked for before the folder of any of them is made."""

from collections.abc import Callable, Sequence

from wbtui import catalog
from wbtui.config import DataConfig, RunConfig
from wbtui.data.source_images import AvailableData
from wbtui.errors import UsageError
from wbtui.launch.data_check import CheckedData, check_data
from wbtui.launch.probe import check_device, check_engine
from wbtui.launch.start import absolute_root


def check_runs(configs: Sequence[RunConfig], may_download: Callable[[AvailableData], bool]) -> None:
    """Refuse runs whose device, engine or images are not there, or whose net or crops do not fit the images.

    Args:
        configs: of the runs.
        may_download: asked only where a download would bring what is missing.

    Raises:
        UsageError: what is missing or does not fit, and what to do; or two of the runs are the same.
    """
    _refuse_twice(configs)
    for device in dict.fromkeys(config.device for config in configs):
        check_device(device)
    for engine, device in dict.fromkeys((config.engine, config.device) for config in configs):
        check_engine(engine, device)
    checked: dict[DataConfig, CheckedData] = {}
    for config in configs:
        data = absolute_root(config.data)
        if data not in checked:
            checked[data] = check_data(data, may_download)
        found = checked[data]
        if found.image_size:
            catalog.net(config.model.name).require_image_size(found.image_size)
            if why := data.too_much_padding(found.image_size):
                raise UsageError(why)
        if why := config.model.too_many_classes(found.classes, data.source):
            raise UsageError(why)


def _refuse_twice(configs: Sequence[RunConfig]) -> None:
    """A list whose values something later goes before would make one run again and again."""
    first: dict[RunConfig, int] = {}
    for number, config in enumerate(configs, 1):
        if config in first:
            raise UsageError(
                f"runs {first[config]} and {number} of these {len(configs)} are the same, down to the seed: a value "
                "that has a list is given once more, where it goes before the list; `wbtui run --dry-run` says where "
                "each value comes from"
            )
        first[config] = number
