"""`python -m wbtui.training.export DIR RUN_FOLDER...`: how do trained weights leave for other programs?

As safetensors, which hold tensors and texts and nothing that runs: DIR/RUN_ID/backbone.safetensors and
classifier.safetensors, of the weights that made the run's predictions. Exit codes: 0 done, 1 a disk is full,
2 a run has none or they cannot be written.
"""

import json
import sys
from pathlib import Path

import torch

from wbtui.errors import MissingPackageError, RunFailedError, UsageError
from wbtui.store import atomic
from wbtui.store.errors import StoreWriteError
from wbtui.store.format import BEST_CHECKPOINT, CHECKPOINT
from wbtui.store.reader import Run, open_run
from wbtui.store.setting import is_imported
from wbtui.store.text import plain
from wbtui.training import checkpoint as checkpoints

Tensors = dict[str, torch.Tensor]

PARTS = {"backbone": "backbone.", "classifier": "head."}
"""File name of each part, and what its tensors' names begin with in a checkpoint."""


def export_weights(run: Run, folder: Path) -> list[Path]:
    """Write the backbone and the classifier of a finished run.

    Names are those of the backbone's and the head's own `state_dict`, so that `load_state_dict` takes them as they
    are. The metadata says which run, which weights, which net and how images were normalised.

    Args:
        run: a finished one.
        folder: where to; made if missing. Files of the same run are replaced.

    Returns:
        The files.

    Raises:
        MissingPackageError: safetensors is not installed.
        UsageError: the run has no weights (any more), or they are not those of its predictions.
        StoreWriteError: the folder cannot be written.
    """
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise MissingPackageError("--safetensors", error, "export") from None

    weights, metadata = _weights(run), _metadata(run)
    target = folder / run.id
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreWriteError(target, error) from error
    written = []
    for part, prefix in PARTS.items():
        tensors = {
            name.removeprefix(prefix): tensor.contiguous()
            for name, tensor in weights.items()
            if name.startswith(prefix)
        }
        path = target / f"{part}.safetensors"
        atomic.write_bytes(path, save(tensors, metadata | {"part": part}))
        written.append(path)
    return written


def _weights(run: Run) -> Tensors:
    """The weights that made the predictions: the best on validation where that selected, else the last."""
    if is_imported(run.config):
        raise UsageError(f"{plain(run.id)}: imported predictions, which come without weights")
    meta = run.predictions_meta()
    name = BEST_CHECKPOINT if meta.weights == "best_validation" else CHECKPOINT
    if not (run.path / name).exists():
        raise UsageError(
            f"{plain(run.id)}: no {name}: it was never written or pruned; expected the weights of epoch {meta.epoch}"
        )
    try:
        weights, epoch = _best(run.path) if name == BEST_CHECKPOINT else _last(run.path)
    except RunFailedError as error:
        raise UsageError(plain(str(error))) from None
    if epoch != meta.epoch:
        raise UsageError(
            f"{plain(run.id)}: {name} is of epoch {epoch} and the predictions are of epoch {meta.epoch}; "
            "expected one that made them"
        )
    return weights


def _last(folder: Path) -> tuple[Tensors, int]:
    saved = checkpoints.load(folder)
    assert saved is not None
    return saved.model, saved.position.epochs_done


def _best(folder: Path) -> tuple[Tensors, int]:
    path = folder / BEST_CHECKPOINT
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        return dict(saved["model"]), int(saved["epoch"])
    except Exception as error:  # torch.load raises what it likes on damaged files
        raise RunFailedError(
            f"{path}: no weights that this wbtui can read: {checkpoints.why_unreadable(error)}"
        ) from error


def _metadata(run: Run) -> dict[str, str]:
    """What must be known to use the weights; safetensors takes texts."""
    config, meta = run.run_config(), run.predictions_meta()
    data = run.provenance.get("data", {})
    # Weights that predict are of the last stage, whichever epoch of it.
    scale = config.cosine_scale_in(config.stages[-1])
    model = config.model.model_dump(mode="json") | (
        {"cosine_scale": scale} if config.model.head == "cosine" else {}
    )
    return {
        "format": "pt",
        "run": run.id,
        "preset": config.preset,
        "variant": config.variant,
        "seed": str(config.seed),
        "weights": meta.weights,
        "epoch": str(meta.epoch),
        "model": json.dumps(model),
        "class_names": json.dumps(meta.class_names),
        "image_mean": json.dumps(data.get("mean")),
        "image_std": json.dumps(data.get("std")),
    }


def main(arguments: list[str]) -> int:
    """Export the runs of a command line, each file's path on a line; the exit code."""
    if len(arguments) < 2:
        print("usage: python -m wbtui.training.export DIR RUN_FOLDER...", file=sys.stderr)
        return 2
    code = 0
    for folder in arguments[1:]:
        try:
            for path in export_weights(open_run(Path(folder)), Path(arguments[0])):
                print(path)
        except MissingPackageError as error:
            print(f"wbtui: {error}", file=sys.stderr)
            return 2
        except (UsageError, StoreWriteError) as error:
            print(f"wbtui: {error}", file=sys.stderr)
            code = max(code, 1 if isinstance(error, StoreWriteError) and error.disk_full else 2)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
