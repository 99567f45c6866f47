"""Has weight decay as much time to act as in the papers, or does a short schedule understate it?

Decay shrinks a weight by lr x WD a step, so what it can do over a schedule goes with epochs x steps x lr x WD. On
CIFAR-100-LT the papers' run with weight decay is behind the one without until about epoch 200 of 320 and gains its
eight points in the last third: a schedule that gives it less makes weight decay look worse than it is.
"""

from wbtui.config import RunConfig, StageConfig
from wbtui.data.available import planned_images
from wbtui.store.errors import StoreReadError
from wbtui.store.reader import Run
from wbtui.store.setting import IMPORTED

PAPERS_DOSE = 320 * 164 * 0.01 * 5e-3
"""2.62: WB22 and WB24 on CIFAR-100-LT, IF 100: epochs x steps (10,457 images in batches of 64) x lr x WD."""
_AS_MUCH = 0.99  # of it, from which nothing is said: their own other splits differ by a few steps


def decay_dose(stage: StageConfig, images: int) -> float:
    """epochs x steps x lr x WD of a stage.

    A constant learning rate counts twice, since a cosine's mean is half of where it begins. The momentum is not in
    it: the papers' is 0.9, and so is the default.

    Args:
        stage: The stage.
        images: Training images, an epoch of them.
    """
    steps = -(-images // stage.batch_size)
    rate = stage.learning_rate * (2 if stage.schedule == "constant" else 1)
    return stage.epochs * steps * rate * stage.weight_decay


def decay_notice(config: RunConfig, images: int | None) -> str:
    """What a reader of this run must know about its weight decay; empty where there is nothing to say.

    Args:
        config: The run's configuration; stages that train a classifier alone do not count.
        images: Training images; None where nobody knows yet.
    """
    doses = [decay_dose(stage, images) for stage in config.stages if stage.trains == "all"] if images else []
    dose = sum(doses)
    if not 0 < dose < _AS_MUCH * PAPERS_DOSE:
        return ""
    return (
        f"epochs x steps x lr x WD = {dose:.3g}, {dose / PAPERS_DOSE:.0%} of the papers' {PAPERS_DOSE:.2f}: "
        "a short schedule understates WD"
    )


def planned_notice(config: RunConfig) -> str:
    """`decay_notice` of a run that has not begun; empty too where its images are not there to be counted."""
    return decay_notice(config, planned_images(config.data))


def run_notice(run: Run) -> str:
    """`decay_notice` of a run; empty too where its configuration is of another version."""
    try:
        config = run.run_config()
        data = run.provenance.get("data", {})
    except StoreReadError:
        return ""
    if config.preset == IMPORTED:
        return ""
    counts = data.get("train_counts") if isinstance(data, dict) else None
    if isinstance(counts, list) and counts and all(type(count) is int and count >= 0 for count in counts):
        return decay_notice(config, sum(counts))
    return planned_notice(config)
