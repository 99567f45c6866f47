"""What can this machine compute with? torch answers in a process of its own, so that nothing here imports it."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from wbtui.compiler import cxx_compiler, has_python_headers
from wbtui.store.text import plain

PATIENCE = 120.0
"""Seconds until torch must have answered; a cold disk and a first CUDA context take tens of seconds."""

_SCRIPT = r"""
import json, sys
import torch

def cpu_bf16():
    asked = [getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")]
    return any(bool(ask()) for ask in asked if ask)

def has(module):
    import importlib.util
    return importlib.util.find_spec(module) is not None

def capacity(size):
    return f"{size / 2**30:.0f} GiB"

compiler = sys.argv[1] == "compiler"
devices = [{
    "name": "cpu",
    "what": f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads",
    "bf16": cpu_bf16(), "compile": compiler, "graphs": False,
}]
problem, name = "", "cuda"
try:
    for index in range(torch.cuda.device_count()):  # counted without asking the driver, which may refuse
        name = f"cuda:{index}"
        facts = torch.cuda.get_device_properties(index)
        devices.append({
            "name": name,
            "what": f"{facts.name}, {capacity(facts.total_memory)}, compute {facts.major}.{facts.minor}",
            "bf16": facts.major >= 8, "compile": has("triton"), "graphs": True,
        })
    if torch.backends.mps.is_available():
        devices.append({"name": "mps", "what": "Metal", "bf16": True, "compile": False, "graphs": False})
    for device in devices:
        name = device["name"]
        torch.ones(2, device=name).sum().item()
except Exception as error:
    why = (str(error).splitlines() or [""])[0]
    problem = f"{name} cannot compute: {type(error).__name__}: {why}"
print(json.dumps({
    "torch": torch.__version__, "cuda": torch.version.cuda or "", "devices": devices, "problem": problem,
}))
"""


@dataclass(frozen=True)
class Device:
    """One thing to compute on."""

    name: str
    """cpu, cuda:0 ..., mps."""

    what: str
    """Its name, memory and capability."""

    bf16: bool
    """Whether bf16 autocast pays: the arithmetic is there in hardware."""

    compile: bool
    """Whether torch.compile has its compiler, on a CPU Python.h too."""

    graphs: bool
    """Whether CUDA graphs can be captured."""

    def __str__(self) -> str:
        able = [name for name in ("bf16", "compile", "graphs") if getattr(self, name)]
        return f"{self.name}: {self.what}; {', '.join(able) or 'fp32 only'}"


@dataclass(frozen=True)
class TorchFacts:
    """What torch says of this machine."""

    version: str = ""
    cuda: str = ""
    """CUDA version torch was built with; empty: none."""

    devices: tuple[Device, ...] = field(default=())

    problem: str = ""
    """Why nothing can be computed; empty: it can."""


def ask_torch(environment: Mapping[str, str]) -> TorchFacts:
    """Ask torch in a process of its own; takes the seconds that importing torch takes.

    Args:
        environment: of that process.
    """
    compiles = cxx_compiler(environment) and has_python_headers()
    try:
        answer = subprocess.run(
            [sys.executable, "-P", "-c", _SCRIPT, "compiler" if compiles else ""],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=dict(environment),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return TorchFacts(problem=f"torch gave no answer within {PATIENCE:.0f} s")
    except OSError as error:
        return TorchFacts(problem=f"torch cannot be asked: {error}")
    lines = answer.stdout.strip().splitlines()
    try:
        said = json.loads(lines[-1])
        devices = tuple(Device(**one) for one in said["devices"])
        return TorchFacts(said["torch"], said["cuda"], devices, plain(said["problem"]))
    except (IndexError, KeyError, TypeError, ValueError):
        why = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
        return TorchFacts(problem=plain(why))
