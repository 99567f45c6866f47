"""How long does the paper's run take on a GPU, and what does it come to? Whole runs by the trainer itself."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tomli_w
from gpu_ways import DEVICE, DRY, EAGER, GRAPHS, GRAPHS_BF16, SIZE, Found, Way, left, made_images

from wbtui.presets import resolve

FAILED = "failed"


def paper(variant: str) -> Found:
    """The paper's run on CIFAR-100-LT under the full rule; stops in time, and goes on when called again."""
    given, seed = os.environ.get("WBTUI_CIFAR100"), os.environ.get("SEED", "0")
    if not given and not DRY:
        print("WBTUI_CIFAR100 is not set; expected the path of a .npz with x_train, y_train, x_test, y_test")
        sys.exit(2)
    runs = Path(os.environ.get("WBTUI_GPU_RUNS") or (tempfile.mkdtemp() if DRY else "runs/gpu"))
    runs.mkdir(parents=True, exist_ok=True)
    data = Path(given) if given else made_pack(runs)
    settings = [f"seed={seed}", *(["stages.0.epochs=2"] if DRY else [])]
    found = train_run(runs / f"cifar100_lt-{variant}-s{seed}", data, variant, settings, GRAPHS_BF16)
    return found | {"passed": found["outcome"] != FAILED}


def precision() -> Found:
    """Short weight-decay runs by eager fp32 and by what is faster: does the accuracy agree over seeds?"""
    ways = (EAGER, GRAPHS, GRAPHS_BF16)
    runs: list[Found] = []
    settings = [f"stages.0.epochs={SIZE.precision_epochs}", "stages.0.schedule=cosine"]
    with tempfile.TemporaryDirectory() as scratch:
        folder, given = Path(scratch), os.environ.get("WBTUI_CIFAR100")
        data = Path(given) if given else made_pack(folder)
        for seed in range(SIZE.seeds):
            for way in ways:
                if left() > 90:
                    name = f"{way.engine}-{way.precision}-{seed}"
                    done = train_run(folder / name, data, "wd", [*settings, f"seed={seed}"], way)
                    runs.append({"way": way.name, "seed": seed, **done})
    found: Found = {
        "epochs": SIZE.precision_epochs,
        "data": given or "made images",
        "runs": runs,
        "test_all": {},
    }
    for way in ways:
        ended = [run for run in runs if run["way"] == way.name and run["outcome"] == "finished"]
        values = [run["final"]["test.accuracy.all"] for run in ended]
        if values:
            spread = statistics.stdev(values) if len(values) > 1 else None
            found["test_all"][way.name] = {"mean": statistics.mean(values), "std": spread, "n": len(values)}
            print(way.name, found["test_all"][way.name])
    return found | {"passed": all(run["outcome"] != FAILED for run in runs)}


def train_run(folder: Path, data: Path, variant: str, settings: list[str], way: Way) -> Found:
    """The trainer itself in a process of its own, from its start or from its checkpoint, until it or the time ends."""
    if not folder.exists():
        folder.mkdir()
        engine = "eager" if DRY else way.engine  # a configuration refuses recorded steps on a CPU
        settings = [*settings, f"device={DEVICE.type}", f"engine={engine}", f"precision={way.precision}"]
        settings += [
            "data.source=npz",
            f"data.root={data}",
            "data.split_rule=full",
            "evaluation.selection=last",
        ]
        settings += [f"model.name={SIZE.net}"]
        settings += [f"evaluation.batch_size={SIZE.eval_batch}"]
        settings += ["data.images_per_class=40", "data.imbalance_factor=10"] if DRY else []
        config = resolve("cifar100_lt", variant, settings=settings).config
        (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    stop = folder / "control" / "stop"
    stop.unlink(missing_ok=True)
    started = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "wbtui.training", str(folder)])
    try:
        child.wait(timeout=max(left() - 20, 30))
    except subprocess.TimeoutExpired:
        stop.parent.mkdir(exist_ok=True)
        stop.touch()
        child.wait(timeout=40)
    return summary(folder) | {"wall_seconds": time.monotonic() - started}


def summary(folder: Path) -> Found:
    """What the run folder says: how it ended, how far it came, how long an epoch takes, and its test figures."""
    result = json.loads((folder / "result.json").read_text("utf-8"))
    lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    epochs = [event for event in map(json.loads, lines) if event["type"] == "epoch"]
    seconds = [event["scalars"]["time.epoch_seconds"] for event in epochs]
    between = np.diff([event["t"] for event in epochs]).tolist()
    last = epochs[-1]["scalars"] if epochs else {}
    done = epochs[-1]["epoch"] if epochs else 0
    print(f"{folder.name}: {result['outcome']} after epoch {done}, {result['reason']}", flush=True)
    return {
        "outcome": result["outcome"],
        "reason": result["reason"],
        "epochs_done": done,
        "median_training_seconds_an_epoch": statistics.median(seconds) if seconds else None,
        "median_seconds_between_epochs": statistics.median(between) if between else None,
        "final": result.get("final") or {k: v for k, v in last.items() if k.startswith("test.")},
        "config": (folder / "config.toml").read_text("utf-8"),
    }


def made_pack(folder: Path) -> Path:
    """A .npz of made images as large as CIFAR-100."""
    path = folder / "made.npz"
    (x, y), (x_test, y_test) = made_images(SIZE.pack_images, 1), made_images(SIZE.test_images, 2)
    np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return path
