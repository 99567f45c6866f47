"""What is allowed in a configuration, but hardly meant?"""

from wbtui.config import DataConfig, RunConfig
from wbtui.errors import UsageError


def notices(config: RunConfig) -> list[str]:
    """One line for each such thing; what cannot be is refused by the configuration itself."""
    found = [
        f"stages.{number}.epochs = 1 with schedule = 'cosine_papers' trains at learning rate 0: its only epoch is "
        "its last; expected more epochs, or schedule = 'cosine'"
        for number, stage in enumerate(config.stages)
        if stage.schedule == "cosine_papers" and stage.epochs == 1
    ]
    images = _training_images(config.data)
    return found + [
        f"stages.{number}.batch_size {stage.batch_size} is larger than the {images} training images: one batch an "
        "epoch"
        for number, stage in enumerate(config.stages)
        if images and stage.batch_size > images
    ]


def _training_images(data: DataConfig) -> int:
    """Images of the training split; 0 where only reading files would tell, or where the split cannot be."""
    if data.source in ("npz", "folder"):
        return 0
    from wbtui.data.available import planned_splits

    try:
        plan = planned_splits(data)
    except UsageError:
        return 0
    return sum(plan.train_counts) if plan else 0
