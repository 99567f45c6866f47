"""How many trainers should share one device? 1, 2, 4 and 8 at once, as plain processes and under MPS."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from gpu_ways import (
    DRY,
    EAGER_BF16,
    GRAPHS_BF16,
    PARTIAL,
    SIZE,
    WAYS,
    Found,
    Loop,
    Way,
    finish,
    growing,
    left,
)

NEARLY = 0.95
"""So much of the best sum of images a second is as good: fewer trainers need less memory."""

UP_WITHIN = 150.0
"""Seconds until all trainers must be ready: one that hangs, as under a service that is not up, would take all the time
there is."""


def several() -> Found:
    """1, 2, 4 and 8 trainers as plain processes: images a second in sum, eager and recorded."""
    return sums_at_once({})


def several_mps() -> Found:
    """The same under NVIDIA's multi-process service, started for this part alone, where the machine has it."""
    control = shutil.which("nvidia-cuda-mps-control")
    if control is None:
        print("left out: no nvidia-cuda-mps-control on the PATH")
        return {"left_out": "no nvidia-cuda-mps-control on the PATH"}
    try:
        with mps(control) as (environment, servers):
            return sums_at_once(environment) | {"mps_servers": servers()}
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"left out: {error}: {error.stderr}")
        return {"left_out": f"{error}: {error.stderr}"} | PARTIAL


@contextmanager
def mps(control: str) -> Iterator[tuple[dict[str, str], Callable[[], str]]]:
    """A service of our own: its pipes lie in a temporary folder, so that no other one is touched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:  # it writes its log to the end
        pipes = {"CUDA_MPS_PIPE_DIRECTORY": f"{scratch}/pipe", "CUDA_MPS_LOG_DIRECTORY": f"{scratch}/log"}
        for folder in pipes.values():
            Path(folder).mkdir()

        def ask(question: str) -> str:
            said = subprocess.run(
                [control],
                input=f"{question}\n",
                env=os.environ | pipes,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            return said.stdout.strip()

        # A file, not a pipe: the daemon that stays may hold on to what it was given, and a pipe is read to its end.
        with (Path(scratch) / "said").open("w+") as said:
            done = subprocess.run(
                [control, "-d"],
                env=os.environ | pipes,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                timeout=60,
            )
            said.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, done.args, stderr=said.read().strip())
        try:
            yield pipes, lambda: ask("get_server_list")
        finally:
            ask("quit")


def sums_at_once(environment: dict[str, str]) -> Found:
    """Images a second in sum by way and number of trainers, and the smallest number that is nearly the best."""
    found = growing({})
    for way in (GRAPHS_BF16, EAGER_BF16):
        sums: dict[int, float] = {}
        found[way.name] = {"images_per_second": sums}
        for trainers in SIZE.trainers:
            if left() < 75:
                break
            sums[trainers] = sum(rates_at_once(way, trainers, environment))
            print(f"{way.name:12} {trainers} trainer(s): {sums[trainers]:9.0f} images/s in sum", flush=True)
        if sums:
            enough = min(count for count, value in sums.items() if value >= NEARLY * max(sums.values()))
            found[way.name]["slots"] = enough
            print(f"{way.name:12} slots: {enough}")
    return found


def rates_at_once(way: Way, trainers: int, environment: dict[str, str] | None = None) -> list[float]:
    """Images a second of each of so many trainers that begin together.

    Raises:
        CalledProcessError: a trainer did not come up in time, or not at all.
    """
    command = [sys.executable, str(Path(__file__).with_name("gpu.py")), "trainer", way.name]
    held = os.environ | {"OMP_NUM_THREADS": "1"} | (environment or {})
    children: list[subprocess.Popen[str]] = []
    with ExitStack() as ending:
        for _ in range(trainers):
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=held
            )
            children.append(ending.enter_context(child))
            ending.callback(child.kill)
        patience = threading.Timer(UP_WITHIN, lambda: [child.kill() for child in children])
        ending.callback(patience.cancel)
        patience.start()
        for child in children:
            assert child.stdout
            if child.stdout.readline() != "ready\n":
                child.kill()
                why = f"a trainer did not come up within {UP_WITHIN:.0f} s"
                raise subprocess.CalledProcessError(child.wait(), command, stderr=why)
        patience.cancel()
        for child in children:
            assert child.stdin
            child.stdin.write("go\n")
            child.stdin.flush()
        return [float(child.communicate()[0]) for child in children]


def trainer(name: str) -> None:
    """One of several: ready when recorded, then as many images a second as it gets in ten seconds."""
    steps = Loop(next(way for way in WAYS if way.name == name)).steps()
    for _ in range(max(SIZE.steps // 10, 1)):
        next(steps)
    finish()
    print("ready", flush=True)
    sys.stdin.readline()
    started, images = time.perf_counter(), 0
    while time.perf_counter() - started < (0.1 if DRY else 10.0):
        images += sum(next(steps) for _ in range(10))
        finish()
    print(images / (time.perf_counter() - started))
