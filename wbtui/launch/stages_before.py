"""Which finished run's stages does a new run take over instead of training them again, and may it?"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wbtui.config import RunConfig, flatten, stage_of
from wbtui.errors import UsageError
from wbtui.launch.resume import config_of
from wbtui.presets import Layer, Resolved, preset_paths, read_layer, resolve, variant_paths
from wbtui.store import format as run_format
from wbtui.store.reader import open_run
from wbtui.store.setting import is_imported
from wbtui.store.text import plain

_LABELS = ("variant", "name")
"""What of a run's configuration is not taken over: what it was called."""

_SHOWN = 4  # differences in a message


@dataclass(frozen=True)
class Source:
    """A finished run whose stages others go on from."""

    folder: Path
    config: RunConfig
    layer: Layer
    """Its config.toml without its labels."""

    @property
    def stages(self) -> int:
        """How many stages it has trained."""
        return len(self.config.stages)


def read_source(folder: Path) -> Source:
    """The run of a folder as one to go on from.

    Raises:
        UsageError: it has not finished, holds imported predictions, or has no checkpoint.
    """
    run, name = open_run(folder), plain(folder.name)
    if is_imported(run.config):
        raise UsageError(f"--from {name}: imported predictions; no stage was trained here")
    state = run.state()
    if state.name != "finished":
        raise UsageError(f"--from {name}: {state.name} ({state.evidence}); expected a run that has finished")
    if not os.path.lexists(folder / run_format.CHECKPOINT):
        raise UsageError(
            f"--from {name}: its {run_format.CHECKPOINT} is not there (pruned, or not copied), and nothing else "
            "holds what it has trained"
        )
    layer = read_layer(folder / run_format.CONFIG)
    values = {key: value for key, value in layer.values.items() if key not in _LABELS}
    return Source(folder, config_of(folder), Layer(layer.origin, values))


def resolve_after(
    source: Source,
    preset: str = "",
    variant: str = "",
    settings: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Resolved:
    """The configuration of a run that goes on from a finished one: that one's, and further stages.

    Args:
        source: the finished run.
        preset: as typed; empty: the source's.
        variant: whose further stages are trained; empty: the source's, with stages of `settings`.
        settings: as of `presets.resolve`.
        options: likewise.

    Raises:
        UsageError: as `presets.resolve`; or nothing is left to train, or the source was trained with something else.
    """
    preset = preset or (source.config.preset if source.config.preset in preset_paths() else "")
    variant = variant or (source.config.variant if source.config.variant in variant_paths() else "")
    resolved = resolve(preset, variant, source.layer, settings, options)
    if len(resolved.config.stages) <= source.stages:
        raise UsageError(
            f"--from {plain(source.folder.name)}: it has trained {source.stages} of {len(resolved.config.stages)} "
            "stages, so nothing is left to train; expected a --variant with more stages, such as wb, wb_ce, crt or lws"
        )
    for key, now, then in _differences(source, resolved.config):
        raise UsageError(
            f"{resolved.origins.get(key, 'default')}: {key} = {now!r}: {plain(source.folder.name)} was trained with "
            f"{then!r}, and its stages are taken over as they are; leave that or --from out"
        )
    return replace(resolved, after=source.folder)


def epochs_left(resolved: Resolved) -> int:
    """How many epochs a run has to train: all of its own, but those that it takes over."""
    done = config_of(resolved.after).total_epochs if resolved.after else 0
    return resolved.config.total_epochs - done


def other_than_of_variant(source: Source, resolved: Resolved) -> str:
    """In what the stages that are taken over are not those of the variant, in words; empty where they are."""
    config = resolved.config
    try:
        own = resolve(config.preset, config.variant).config
    except UsageError:  # a name of somebody else's
        return ""
    differ = [
        f"{key} = {then!r}, not {now!r}"
        for key, now, then in _differences(source, own)
        if key.startswith(("stages.", "model."))
    ]
    if not differ:
        return ""
    more = f" and {len(differ) - _SHOWN} more" if len(differ) > _SHOWN else ""
    return f"trained otherwise than {config.variant} of {config.preset}: {', '.join(differ[:_SHOWN])}{more}"


def _differences(source: Source, config: RunConfig) -> list[tuple[str, Any, Any]]:
    """By which values the source's stages would have become others: key, the configuration's value, the source's."""
    then, now = dict(flatten(source.config.model_dump())), dict(flatten(config.model_dump()))
    return [
        (key, now.get(key), then.get(key))
        for key in dict.fromkeys([*then, *now])
        if _decides(key, source.stages) and now.get(key) != then.get(key)
    ]


def _decides(key: str, stages: int) -> bool:
    stage = stage_of(key)
    if stage is not None:
        return stage < stages and key != f"stages.{stage}.name"
    return key.partition(".")[0] in ("seed", "data", "model") and key != "data.root"
