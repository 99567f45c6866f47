"""How does a run folder become a trainer at work? Configuration, data, runtime and provenance, in that order."""

import platform
import socket
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

import wbtui
from wbtui.config import RunConfig
from wbtui.data.longtail import SPLITS, LongTailData, load
from wbtui.errors import RunFailedError, UsageError
from wbtui.models.model import num_parameters
from wbtui.notices import notices
from wbtui.presets import resolve
from wbtui.store import atomic, bounded
from wbtui.store import format as run_format
from wbtui.store.errors import complain
from wbtui.store.writer import RunWriter
from wbtui.training.monitor import Monitor
from wbtui.training.out_of_memory import describe, memory, ran_out
from wbtui.training.outputs import Figures
from wbtui.training.patience import persist
from wbtui.training.runtime import Identity, identity, idle_gpus, resolve_runtime
from wbtui.training.trainer import Trainer


def train(folder: Path, writer: RunWriter, monitor: Monitor) -> Figures:
    """Train the run of a folder, from its start or from its checkpoint, to its predictions.

    Raises:
        UsageError: configuration, data or device are not usable.
        RunFailedError: the run failed, in words; memory ran out, for one.
        StopRequested: somebody asked for a stop.
    """
    config = resolve(config_file=folder / run_format.CONFIG).config
    try:
        return _train(folder, config, writer, monitor)
    except Exception as error:
        kind = None if isinstance(error, UsageError | RunFailedError) else ran_out(error)
        if kind is None:
            raise
        held = memory(kind, config.device)
        raise RunFailedError(describe(error, kind, config, monitor.phase, monitor.epoch, held)) from error


def _train(folder: Path, config: RunConfig, writer: RunWriter, monitor: Monitor) -> Figures:
    recorded = _read_provenance(folder)
    monitor.enter("data", writer.last_epoch)
    data = load(config.data)
    earlier: dict[str, Any] = recorded.get("identity", {})
    runtime = resolve_runtime(config, data.image_size, earlier)
    now = identity(runtime)
    if not (writer.started and writer.metrics):  # of a run that was taken over metrics are declared already
        persist(lambda: writer.event("start", epochs=config.total_epochs, classes=data.classes))
        for message in [*notices([config]), *idle_gpus(config, runtime)]:
            persist(partial(writer.event, "alert", kind="configuration", epoch=0, message=message))
            complain(message)
    changed = _differences(now, data, recorded)
    trainer = Trainer(folder, config, data, runtime, writer, monitor, changed)
    known = recorded | _known_to_the_trainer(config, data, now, trainer)
    persist(lambda: atomic.write_json(folder / run_format.PROVENANCE, known))
    return trainer.run()


def _differences(now: Identity, data: LongTailData, recorded: dict[str, Any]) -> list[str]:
    """What of machine, versions and images is another than in the attempts before, in words."""
    changed = now.differences(recorded["identity"]) if "identity" in recorded else []
    if recorded.get("data", {}).get("fingerprint", data.fingerprint) != data.fingerprint:
        changed.append("the images are others than before")
    return changed


def _known_to_the_trainer(
    config: RunConfig, data: LongTailData, now: Identity, trainer: Trainer
) -> dict[str, Any]:
    return {
        "identity": asdict(now),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "versions": {
            "wbtui": wbtui.__version__,
            "python": platform.python_version(),
            "torch": now.torch,
            "numpy": now.numpy,
            "cuda": torch.version.cuda or "",
        },
        "data": {
            "fingerprint": data.fingerprint,
            "split_rule": config.data.split_rule,
            "description": data.description,
            "train_counts": data.train_counts.tolist(),
            "images": {name: len(data.split(name)[1]) for name in SPLITS},
            "many_above": data.many_above,
            "few_below": data.few_below,
            "mean": list(data.mean),
            "std": list(data.std),
        },
        "model": {"parameters": num_parameters(trainer.model), "feature_size": config.model.feature_size},
        "deterministic": now.device == "cpu",
    }


def _read_provenance(folder: Path) -> dict[str, Any]:
    try:
        return bounded.read_json(folder, run_format.PROVENANCE)
    except FileNotFoundError:
        return {}
