"""How long does the papers' run take on a GPU, and what does it come to? Whole runs by the trainer itself."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np
import tomli_w
from gpu_ways import (
    DEVICE,
    DRY,
    EAGER,
    EAGER_BF16,
    GRAPHS,
    GRAPHS_BF16,
    ON_CPU,
    SIZE,
    Found,
    Way,
    growing,
    left,
    made_images,
)
from reproduction_plan import EAGER_FP32, Planned, named, plan

from wbtui.metrics import welch_interval
from wbtui.presets import resolve
from wbtui.store.taken_over import provenance_of, take_over

FAILED = "failed"
AT_ONCE = int(told) if (told := os.environ.get("WBTUI_GPU_AT_ONCE", "1")).isdecimal() else 0
"""Trainers of `paper` that share the device."""

ALIKE = 1e-3
"""Accuracies so near each other are the same, however little they vary from seed to seed."""

# ---------------------------------------------------------------------- the papers' runs


def paper(names: list[str]) -> Found:
    """The named runs of the plan (and whose weights they measure), or all, in slices: called again, it goes on.

    `WBTUI_GPU_AT_ONCE` trainers share the device; a run that goes on from another one's weights waits for it.
    """
    if AT_ONCE < 1:
        sys.exit(f"WBTUI_GPU_AT_ONCE is {told!r}; expected how many trainers share the device, 1 or more")
    runs = runs_folder()
    unknown = [name for name in names if named(name) is None]
    if unknown:
        sys.exit(f"no such run: {', '.join(unknown)}; `benchmarks/gpu.sh plan` lists them")
    needed = {planned.plain_name for planned in plan() if planned.name in names}
    wanted = [planned for planned in plan() if not names or planned.name in needed | set(names)]
    done: dict[str, Found] = {}
    growing({"at_once": AT_ONCE, "runs": done})
    for preset in sorted({planned.preset for planned in wanted if not finished(runs / planned.name)}):
        pack(runs, preset)
    waiting = {planned.name: planned for planned in wanted if not finished(runs / planned.name)}
    at_work: dict[Future[Found], str] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            while waiting or at_work:
                if left() < 90 or any(found["outcome"] != "finished" for found in done.values()):
                    waiting.clear()
                unmade = {*waiting, *at_work.values()}
                ready = [planned for planned in waiting.values() if planned.goes_on_from not in unmade]
                for planned in ready[: AT_ONCE - len(at_work)]:
                    make = measured_again if planned.tta == "flip" else one
                    at_work[pool.submit(make, runs, waiting.pop(planned.name))] = planned.name
                for ended in wait(at_work, return_when=FIRST_COMPLETED).done:
                    done[at_work.pop(ended)] = ended.result()
        except BaseException:
            for folder in (runs / name for name in at_work.values()):
                if folder.is_dir():
                    ask_to_stop(folder)
            raise
    missing = [planned.name for planned in wanted if not finished(runs / planned.name)]
    print(f"{len(wanted) - len(missing)} of {len(wanted)} runs are finished; folder {runs}")
    failed = any(found["outcome"] == FAILED for found in done.values())
    return {"at_once": AT_ONCE, "runs": done, "missing": missing, "passed": not failed}


def list_plan() -> Found:
    """Every run of the plan, and how far it is."""
    runs = runs_folder()
    for planned in plan():
        print(f"{'finished' if finished(runs / planned.name) else 'missing ':8}  {planned.command}")
    return {}


def runs_folder() -> Path:
    runs = Path(os.environ.get("WBTUI_GPU_RUNS") or (tempfile.gettempdir() if DRY else "runs/gpu"))
    runs.mkdir(parents=True, exist_ok=True)
    return runs


def finished(folder: Path) -> bool:
    path = folder / "result.json"
    return path.is_file() and json.loads(path.read_text("utf-8"))["outcome"] == "finished"


def one(runs: Path, planned: Planned) -> Found:
    """One run, from its start or its checkpoint."""
    way = EAGER if planned.way == EAGER_FP32 else GRAPHS_BF16
    settings = [*planned.settings, f"seed={planned.seed}", f"data.split_rule={planned.rule}"]
    settings += ["evaluation.selection=last"] if planned.rule == "full" else []
    settings += [f"model.name={SIZE.net}", f"evaluation.batch_size={SIZE.eval_batch}"]
    if DRY:
        settings += ["stages.0.epochs=2", "data.images_per_class=40", "data.imbalance_factor=10"]
        settings += ["stages.1.epochs=1"] if planned.variant == "wb" else []
    settings = [*npz(pack(runs, planned.preset)), *settings]
    first = runs / planned.first_stage if planned.first_stage else None
    return train_run(runs / planned.name, planned.preset, planned.variant, settings, way, first)


def measured_again(runs: Path, planned: Planned) -> Found:
    """The finished run's weights under flip test-time augmentation: its copy goes on from its last checkpoint."""
    source, target = runs / planned.plain_name, runs / planned.name
    if not target.exists():
        copied = target.with_suffix(".part")
        shutil.rmtree(copied, ignore_errors=True)
        shutil.copytree(
            source, copied, ignore=shutil.ignore_patterns("result.json", "process.json", "attempts")
        )
        config = tomllib.loads((source / "config.toml").read_text("utf-8"))
        config["evaluation"]["tta"] = "flip"
        (copied / "config.toml").write_text(tomli_w.dumps(config), "utf-8")
        copied.rename(target)
    return trained_on(target)


def pack(runs: Path, preset: str) -> Path:
    """The .npz of a preset's images."""
    variable = {"cifar100_lt": "WBTUI_CIFAR100", "cifar10_lt": "WBTUI_CIFAR10"}[preset]
    given = os.environ.get(variable)
    if not given and not DRY:
        print(f"{variable} is not set; expected the path of a .npz with x_train, y_train, x_test, y_test")
        sys.exit(2)
    return Path(given) if given else made_pack(runs)


# ---------------------------------------------------------------------- ways against each other


def agree() -> Found:
    """Whole short runs by each way over seeds: is the accuracy the reference's, within seed noise?

    digits is embedded; Fashion-MNIST joins where WBTUI_FASHION names a .npz of it, on the processor with a small net
    and a sixth of its epochs.
    """
    ways = (EAGER, EAGER_BF16) if ON_CPU else (EAGER, EAGER_BF16, GRAPHS, GRAPHS_BF16)
    found = growing({"passed": True})
    sources: dict[str, list[str]] = {"digits_lt": []}
    if os.environ.get("WBTUI_FASHION"):
        smaller = [f"model.name={SIZE.net}", "stages.0.epochs=10"] if ON_CPU else []
        sources["fashion_lt"] = [*npz(Path(os.environ["WBTUI_FASHION"])), *smaller]
    runs = runs_folder() / "agree"
    runs.mkdir(exist_ok=True)
    for preset, settings in sources.items():
        settings = [*settings, *(["stages.0.epochs=3"] if DRY else [])]
        values: dict[str, list[float]] = {way.name: [] for way in ways}
        for seed in range(SIZE.seeds):
            for way in ways:
                folder = runs / f"{preset}-{way.engine}-{way.precision}-s{seed}"
                done = finished(folder) or left() > 60
                if done and trained_at(folder, preset, [*settings, f"seed={seed}"], way):
                    values[way.name].append(summary(folder)["final"]["test.accuracy.all"])
        verdicts = {name: against(values[EAGER.name], own) for name, own in values.items()}
        found[preset] = {"settings": [word for word in settings if not word.startswith("data.")], **verdicts}
        for name, verdict in verdicts.items():
            print(f"{preset:11} {name:12} {verdict}")
        found["passed"] = found["passed"] and all(verdict["within_noise"] for verdict in verdicts.values())
    return found


def trained_at(folder: Path, preset: str, settings: list[str], way: Way) -> bool:
    return finished(folder) or train_run(folder, preset, "wd", settings, way)["outcome"] == "finished"


def against(reference: list[float], own: list[float]) -> Found:
    """Mean, sample standard deviation and n, and whether Welch's 95 % interval of the difference holds 0."""
    known: Found = {"values": own, "n": len(own)}
    if min(len(reference), len(own)) < 2:
        return known | {"within_noise": len(reference) > 0 and len(own) > 0}
    difference = welch_interval(np.array(reference), np.array(own))
    return known | {
        "mean": statistics.mean(own),
        "std": statistics.stdev(own),
        "apart": difference.estimate,
        "low": difference.low,
        "high": difference.high,
        "within_noise": difference.low <= 0 <= difference.high or abs(difference.estimate) <= ALIKE,
    }


def precision() -> Found:
    """Short weight-decay runs by eager fp32 and by what is faster: does the accuracy agree over seeds?

    The full runs by both are part of the plan (`paper`), and stand side by side in docs/reproduction.md.
    """
    ways = (EAGER, GRAPHS, GRAPHS_BF16)
    runs: list[Found] = []
    growing({"epochs": SIZE.precision_epochs, "runs": runs})
    settings = [
        f"stages.0.epochs={SIZE.precision_epochs}",
        "stages.0.schedule=cosine",
        f"model.name={SIZE.net}",
    ]
    settings += ["data.split_rule=full", "evaluation.selection=last"]
    settings += ["data.images_per_class=40", "data.imbalance_factor=10"] if DRY else []
    with tempfile.TemporaryDirectory() as scratch:
        folder, given = Path(scratch), os.environ.get("WBTUI_CIFAR100")
        data = Path(given) if given else made_pack(folder)
        for seed in range(SIZE.seeds):
            for way in ways:
                if left() > 90:
                    name = f"{way.engine}-{way.precision}-{seed}"
                    own = [*npz(data), *settings, f"seed={seed}"]
                    done = train_run(folder / name, "cifar100_lt", "wd", own, way)
                    runs.append({"way": way.name, "seed": seed, **done})
    found: Found = {
        "epochs": SIZE.precision_epochs,
        "data": "CIFAR-100" if given else "made images",
        "runs": runs,
    }
    ended = [run for run in runs if run["outcome"] == "finished"]
    found["figures"] = {
        name: {
            way.name: spread([run["final"][name] for run in ended if run["way"] == way.name]) for way in ways
        }
        for name in ("test.accuracy.all", "test.fdr", "bn.scale.mean")
    }
    for name, by_way in found["figures"].items():
        print(name, by_way)
    return found | {"passed": all(run["outcome"] != FAILED for run in runs)}


def spread(values: list[float | None]) -> Found:
    """Mean, sample standard deviation and n of the runs that have a value: a ratio may be undefined in one."""
    known = [value for value in values if value is not None]
    std = statistics.stdev(known) if len(known) > 1 else None
    return {"mean": statistics.mean(known) if known else None, "std": std, "n": len(known)}


# ---------------------------------------------------------------------- one run


def npz(path: Path) -> list[str]:
    return ["data.source=npz", f"data.root={path.absolute()}"]


def train_run(
    folder: Path, preset: str, variant: str, settings: list[str], way: Way, first_stage: Path | None = None
) -> Found:
    """The trainer itself in a process of its own, from its start or from its checkpoint, until it or the time ends.

    Where a finished run of the first stage lies here with its checkpoint, that stage is taken over.
    """
    if not folder.exists():
        engine = "eager" if ON_CPU else way.engine  # a configuration refuses recorded steps on a CPU
        settings = [*settings, f"device={DEVICE.type}", f"engine={engine}", f"precision={way.precision}"]
        config = resolve(preset, variant, settings=settings).config
        folder.mkdir()
        if first_stage and finished(first_stage) and (first_stage / "checkpoint.pt").is_file():
            take_over(first_stage, folder)
            (folder / "provenance.json").write_text(json.dumps(provenance_of(first_stage)), "utf-8")
        (folder / "config.toml").write_text(tomli_w.dumps(config.model_dump(mode="json")), "utf-8")
    return trained_on(folder)


def trained_on(folder: Path) -> Found:
    """Train on what a folder says until it is done, or stop gracefully in time."""
    (folder / "control" / "stop").unlink(missing_ok=True)
    threads = {"OMP_NUM_THREADS": "1"} if AT_ONCE > 1 else {}
    started = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "wbtui.training", str(folder)], env=os.environ | threads)
    try:
        child.wait(timeout=max(left() - 20, 30))
    except subprocess.TimeoutExpired:
        ask_to_stop(folder)
        child.wait(timeout=40)
    found = summary(folder, child.returncode) | {"wall_seconds": time.monotonic() - started}
    print(
        f"{folder.name}: {found['outcome']} after epoch {found['epochs_done']}, {found['reason']}", flush=True
    )
    return found


def ask_to_stop(folder: Path) -> None:
    """The trainer at work there writes a checkpoint and ends."""
    (folder / "control").mkdir(exist_ok=True)
    (folder / "control" / "stop").touch()


def summary(folder: Path, code: int = 0) -> Found:
    """What the run folder says: how it ended, how far it came, how long an epoch takes, and its test figures.

    A trainer that was killed, or refused what it was given, leaves no result: then its exit code speaks.
    """
    ended, written = folder / "result.json", folder / "events.jsonl"
    result: Found = {"outcome": FAILED, "reason": f"the trainer left no result; exit code {code}"}
    if ended.is_file():
        result = json.loads(ended.read_text("utf-8"))
    lines = written.read_text("utf-8").splitlines() if written.is_file() else []
    epochs = [event for event in map(json.loads, lines) if event["type"] == "epoch"]
    seconds = [event["scalars"]["time.epoch_seconds"] for event in epochs]
    between = np.diff([event["t"] for event in epochs]).tolist()
    last = epochs[-1]["scalars"] if epochs else {}
    done = epochs[-1]["epoch"] if epochs else 0
    middle = statistics.median(between) if between else None
    return {
        "outcome": result["outcome"],
        "reason": result["reason"],
        "epochs_done": done,
        "median_training_seconds_an_epoch": statistics.median(seconds) if seconds else None,
        "median_seconds_between_epochs": middle,
        "seconds_of_all_epochs": middle * done if middle is not None else None,
        "final": result.get("final") or {k: v for k, v in last.items() if k.startswith(("test.", "bn."))},
    }


def made_pack(folder: Path) -> Path:
    """A .npz of made images as large as CIFAR-100."""
    path = folder / "made.npz"
    if not path.exists():
        (x, y), (x_test, y_test) = made_images(SIZE.pack_images, 1), made_images(SIZE.test_images, 2)
        np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
    return path
