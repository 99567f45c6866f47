"""What is allowed in a configuration, but hardly meant?"""

from collections.abc import Iterable

from wbtui import catalog
from wbtui.config import DataConfig, RunConfig
from wbtui.data.available import planned_images
from wbtui.errors import UsageError
from wbtui.presets import Layer, resolve

_EMBEDDED = ("digits", "glyphs")
"""Sources that read no file of the user's."""


def notices(configs: Iterable[RunConfig]) -> list[str]:
    """One line for each such thing, once; what cannot be is refused by the configuration itself."""
    # A grid has one data section, and a folder takes seconds to count.
    images: dict[DataConfig, int | None] = {}
    said: dict[str, None] = {}
    for config in configs:
        if config.data not in images:
            images[config.data] = planned_images(config.data)
        said |= dict.fromkeys(_notices(config, images[config.data]))
    return list(said)


def label_notices(file: Layer, preset: str, variant: str) -> list[str]:
    """A line where a file of settings says a preset or a variant whose values it has not, and that nobody gives.

    Args:
        file: The file.
        preset: What `--preset` says; empty: nothing.
        variant: What `--variant` says, likewise.
    """
    given = {"preset": preset, "variant": variant}
    labels = {label: str(file.values.get(label) or "") for label in given}
    unheeded = {label: name for label, name in labels.items() if name and not given[label]}
    try:
        loaded = resolve(labels["preset"] or preset, labels["variant"] or variant, file)
        if not unheeded or loaded.config == resolve(preset, variant, file).config:
            return []
    except UsageError:  # names of somebody else's, or a mistake that is told without this
        return []
    said = " and ".join(f"{label} = {name!r}" for label, name in unheeded.items())
    options = " ".join(f"--{label} {name}" for label, name in unheeded.items())
    return [
        f"{file.origin}: {said}: a label, which loads nothing; for values of that name give {options} too"
    ]


def _notices(config: RunConfig, images: int | None) -> list[str]:
    found = [
        f"stages.{number}.epochs = 1 with schedule = 'cosine_papers' trains at learning rate 0: its only epoch is "
        "its last; expected more epochs, or schedule = 'cosine'"
        for number, stage in enumerate(config.stages)
        if stage.schedule == "cosine_papers" and stage.epochs == 1
    ]
    found += [
        f"stages.{number}.loss.reweight_from = {stage.loss.reweight_from:g} never re-weights in "
        f"{stage.epochs} epochs: the last of them begins at {(stage.epochs - 1) / stage.epochs:.3g}; expected more "
        "epochs, an earlier beginning, or 1 for LDAM without re-weighting"
        for number, stage in enumerate(config.stages)
        if stage.loss.name == "ldam" and (stage.epochs - 1) / stage.epochs < stage.loss.reweight_from < 1
    ]
    found += [
        f"stages.{number}.feature_regularization = {stage.feature_regularization:g} with trains = {stage.trains!r} "
        "acts on nothing: features of a frozen net do not move, it only adds to the loss that is shown"
        for number, stage in enumerate(config.stages)
        if stage.feature_regularization and stage.trains != "all"
    ]
    if config.data.root and config.data.source in _EMBEDDED:
        found.append(
            f"data.root = {config.data.root!r} is not read: {config.data.source} is inside the package; expected "
            "data.source = 'npz' or 'folder' for images of your own"
        )
    if config.data.image_size and not catalog.SOURCES[config.data.source].any_size:
        found.append(
            f"data.image_size = {config.data.image_size} is not heeded: images of {config.data.source} stay as they "
            "are; folder and glyphs alone are brought to a size"
        )
    return found + [
        f"stages.{number}.batch_size {stage.batch_size} is larger than the {images} training images: one batch an "
        "epoch"
        for number, stage in enumerate(config.stages)
        if images and stage.batch_size > images
    ]
