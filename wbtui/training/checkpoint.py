"""How does a run go on bit for bit? One file with all that the next step depends on, and nothing pickled in it."""

import errno
import pickle
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from wbtui.config import RunConfig, flatten, stage_of
from wbtui.errors import RunFailedError
from wbtui.store import atomic
from wbtui.store import format as run_format
from wbtui.store.tally import SAME

VERSION = 1

_NOT_RESULTS = ("preset", "variant", "name", "device", "precision", "engine", "threads", "data.root")
"""Labels, and what a resume finds again or tells of by itself: the device, the arithmetic, the images."""


@dataclass(frozen=True)
class Position:
    """Where training stands: everything before it is done."""

    stage: int = 0
    """Index of the stage, from 0."""

    epoch: int = 0
    """Epochs of this stage that are finished."""

    batch: int = 0
    """Batches of the epoch in work that are finished."""

    epochs_done: int = 0
    """Finished epochs of all stages."""

    images: int = 0
    """Training images seen so far, all stages."""


@dataclass
class Best:
    """The best epoch so far by one measure."""

    epoch: int = 0
    """Epoch over all stages, from 1; 0: none yet."""

    value: float = float("-inf")
    """All, as a fraction."""

    figures: dict[str, float] = field(default_factory=dict)
    """What was measured at that epoch."""

    state: dict[str, torch.Tensor] = field(default_factory=dict)
    """The weights of that epoch, where this measure selects."""

    def offer(self, epoch: int, value: float) -> bool:
        """Take an epoch if it is better than all before it; the first of equals stays."""
        if not value > self.value + SAME:
            return False
        self.epoch, self.value = epoch, value
        return True


@dataclass(frozen=True)
class Checkpoint:
    """What is kept: tensors, numbers and texts."""

    position: Position
    model: dict[str, Any]
    optimizer: dict[str, Any]
    running: dict[str, torch.Tensor]
    """Sums of the epoch in work."""

    maxnorm: dict[str, torch.Tensor]
    """δ and the rows cut so far in the epoch in work; empty without MaxNorm."""

    best_validation: dict[str, Any]
    best_test: dict[str, Any]
    generators: dict[str, torch.Tensor]
    """States of torch's generators."""

    configuration: dict[str, Any] = field(default_factory=dict)
    """What decided the results so far, by dotted key; empty in older files."""


def deciding(config: RunConfig) -> dict[str, Any]:
    """What of a configuration decides a run's results, by dotted key: numbers, texts and tuples of them."""
    return {
        key: value
        for key, value in flatten(config.model_dump())
        if key not in _NOT_RESULTS and not key.startswith("checkpoint.")
    }


def changes(checkpoint: Checkpoint, config: RunConfig) -> list[str]:
    """What of the configuration is another than the checkpoint was trained with, in words; later stages are free."""
    before, now = checkpoint.configuration, deciding(config)
    if not before:
        return []
    return [
        f"{key} {before.get(key, '-')!r} -> {now.get(key, '-')!r}"
        for key in dict.fromkeys([*before, *now])
        if before.get(key) != now.get(key) and (stage_of(key) or 0) <= checkpoint.position.stage
    ]


def save(folder: Path, checkpoint: Checkpoint) -> float:
    """Write `checkpoint.pt` whole or not at all.

    Returns:
        The seconds that it took.

    Raises:
        StoreWriteError: the disk is full or the folder gone; the earlier checkpoint still stands.
    """
    started = time.monotonic()
    payload = {"version": VERSION, **vars(checkpoint), "position": asdict(checkpoint.position)}
    save_tensors(folder / run_format.CHECKPOINT, payload)
    return time.monotonic() - started


def save_tensors(path: Path, payload: dict[str, Any]) -> None:
    """torch.save, whole or not at all.

    Raises:
        StoreWriteError: the disk is full or the folder gone.
        RuntimeError: a device failed while its tensors were fetched.
    """
    with atomic.replacing(path) as file:
        try:
            torch.save(payload, file)
        except RuntimeError as error:
            first = _first(error)
            if first is error:
                raise
            raise first from None


def _first(error: RuntimeError) -> Exception:
    """What went wrong first: torch's zip writer complains of being left half-way, and hides what the disk said."""
    before = error.__context__
    if isinstance(before, OSError):
        return before
    if isinstance(before, RuntimeError):
        return _first(before)
    return OSError(errno.ENOSPC, str(error)) if "inline_container" in str(error) else error


def load(folder: Path) -> Checkpoint | None:
    """The checkpoint of a run folder; None where there is none.

    Raises:
        RunFailedError: a file that is not one of ours, or damaged. Nothing is ever unpickled from it.
    """
    path = folder / run_format.CHECKPOINT
    if not path.exists():
        return None
    try:
        payload = torch.load(path, map_location="cpu", weights_only=True)
        if payload.pop("version") != VERSION:
            raise ValueError("another format version")
        return Checkpoint(**{**payload, "position": Position(**payload["position"])})
    except Exception as error:  # torch.load raises what it likes on damaged files
        raise RunFailedError(
            f"{path}: not a checkpoint that this wbtui can read: {why_unreadable(error)}"
        ) from error


def load_weights(model: torch.nn.Module, checkpoint: Checkpoint, changes: list[str]) -> None:
    """Give a model the weights of a checkpoint.

    Args:
        model: the configured one.
        checkpoint: of a run.
        changes: what of its configuration has changed, for the message.

    Raises:
        RunFailedError: they are another net's.
    """
    try:
        model.load_state_dict(checkpoint.model)
    except RuntimeError as error:
        changed = f" ({'; '.join(changes)})" if changes else ""
        raise RunFailedError(
            f"{run_format.CHECKPOINT} is of another net than {run_format.CONFIG} describes{changed}; expected the "
            "configuration as it was, or a run of its own (`wbtui run --config`)"
        ) from error


def why_unreadable(error: Exception) -> str:
    """Why `torch.load` refused a file, in one line. Torch's own advice is to unpickle it, which is never done here."""
    if isinstance(error, pickle.UnpicklingError):
        return "damaged, or more than tensors and plain values"
    return str(error).strip().partition("\n")[0]


def generator_states(device: torch.device) -> dict[str, torch.Tensor]:
    """States of the generators that third-party layers (dropout, say) draw from."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_generators(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Put generators back to where a checkpoint found them."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
