"""Compiled steps train as eager ones do, repeat to the byte, and say what is missing where they cannot compile."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from tests.training.test_training_engine import REPRESENTATION, World
from tests.training.whole_runs import CPU, epochs, results, run
from wbtui.compiler import cxx_compiler, has_python_headers
from wbtui.config import RunConfig
from wbtui.errors import RunFailedError, UsageError
from wbtui.launch.probe import check_engine
from wbtui.training.engine import CompiledSteps, EagerSteps, build_steps
from wbtui.training.runtime import Runtime, resolve_engine
from wbtui.training.trainer import StopRequested

COMPILED = Runtime(CPU, "fp32", 1, "compiled")
AS_IN_THE_WORLD = ("model.width=4", "stages.0.batch_size=16", "data.image_size=8")
"""One net on one size of batch, which is compiled once for all tests."""

pytestmark = [  # torch's own, while it compiles; the second under Python 3.13.0
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Guards may run slower:RuntimeWarning"),
]
needs_compiler = pytest.mark.skipif(
    not (cxx_compiler(os.environ) and has_python_headers()), reason="no C++ compiler or no Python.h here"
)


@pytest.fixture(autouse=True)
def _own_cache(
    made_once: Callable[[str, Callable[[Path], object]], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """One cache for all processes; a net compiled for one test is unknown to the next."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(made_once("compiled", lambda _: None)))
    yield
    torch._dynamo.reset()


def compiled(world: World) -> CompiledSteps:
    steps = build_steps(world.stage, world.source(), world.sums, COMPILED)
    assert isinstance(steps, CompiledSteps)
    return steps


@needs_compiler
def test_compiled_steps_follow_the_eager_ones_and_leave_the_remainder_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three epochs of four full batches and a remainder of 6: sums in another order, so close and not equal."""
    world, sizes = World(REPRESENTATION, COMPILED), list[int]()
    steps = compiled(world)
    full = world.stage._compiled
    assert full is not None
    monkeypatch.setattr(world.stage, "_compiled", lambda inputs: (sizes.append(len(inputs)), full(inputs))[1])
    assert not steps.ready
    world.train(steps, 3)
    assert steps.ready
    assert sizes == [16] + 3 * [16, 16, 16, 16]  # compiling took one batch, and no remainder came here
    plain = World(REPRESENTATION)
    plain.train(plain.eager(), 3)
    assert world.losses == pytest.approx(plain.losses, rel=1e-3)
    for (name, one), other in zip(world.state().items(), plain.state().values(), strict=True):
        assert torch.allclose(one.double(), other.double(), rtol=1e-2, atol=1e-3), name


@needs_compiler
def test_compiling_leaves_no_trace() -> None:
    world = World(REPRESENTATION, COMPILED)
    before = {name: tensor.clone() for name, tensor in world.model.state_dict().items()}
    generator = torch.get_rng_state()
    plan = world.stage.plan(world.labels, 7, 0, 2, horizontal_flip=True)
    world.stage.begin_epoch(0)
    compiled(world).begin_epoch(plan, world.stage.learning_rates(0, len(plan)), 0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in world.model.state_dict().items())
    assert all(parameter.grad is None for parameter in world.model.parameters())
    assert torch.equal(torch.get_rng_state(), generator)


@needs_compiler
def test_a_compiled_run_repeats_to_the_byte_also_when_stopped_and_resumed(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", "compiled", *AS_IN_THE_WORLD)
    torch._dynamo.reset()
    with pytest.raises(StopRequested):
        run(tmp_path / "parted", "compiled", *AS_IN_THE_WORLD, stop_after=9)
    torch._dynamo.reset()
    parted = run(tmp_path / "parted", "compiled", *AS_IN_THE_WORLD)
    assert results(parted) == results(whole)
    assert len(epochs(whole)) == 5


def test_a_stage_with_a_frozen_net_has_nothing_to_compile() -> None:
    world = World(REPRESENTATION.model_copy(update={"trains": "classifier"}), COMPILED)
    assert type(build_steps(world.stage, world.source(), world.sums, COMPILED)) is EagerSteps


def test_batches_that_are_never_full_are_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.training.stage.compile_now", lambda *_: pytest.fail("compiled"))
    world = World(REPRESENTATION.model_copy(update={"batch_size": 512}), COMPILED)
    world.train(compiled(world), 2)
    plain = World(REPRESENTATION.model_copy(update={"batch_size": 512}))
    assert world.losses == plain.train(plain.eager(), 2).losses


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("", "No working C++ compiler found"),
        ("x.cpp:1:10: fatal error: Python.h: No such file or directory", "x.cpp:1:10: fatal error: Python.h"),
    ],
)
@needs_compiler
def test_a_compiler_that_fails_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, expected: str
) -> None:
    asked = f'case "$*" in *--version*|*-dumpmachine*) exec {cxx_compiler({**os.environ})} "$@";; esac\n'
    fake = tmp_path / "fake"
    fake.write_text(f"#!/bin/sh\n{asked if said else ''}echo '{said}' >&2\nexit 1\n", "utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    import torch._inductor.config as inductor

    monkeypatch.setattr(inductor.cpp, "cxx", (None, str(fake)))
    world = World(REPRESENTATION, COMPILED)
    with pytest.raises(RunFailedError) as failure:
        world.train(compiled(world), 1)
    told = str(failure.value)
    assert "\n" not in told
    assert expected in told
    assert told.endswith("or engine = 'eager'")


def test_what_cannot_compile_is_refused_before_a_folder_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    for device in ("cuda", "cuda:1", "mps"):
        with pytest.raises(
            ValidationError, match=f"compiles for a processor, which device = '{device}' is not"
        ):
            RunConfig(engine="compiled", device=device)
    with pytest.raises(UsageError, match=r"engine = 'compiled'.*device is cuda; expected device = 'cpu'"):
        resolve_engine("compiled", torch.device("cuda"))
    assert resolve_engine("compiled", CPU) == "compiled"
    monkeypatch.setattr("wbtui.launch.probe._why_not", lambda device: "")
    monkeypatch.setattr("wbtui.launch.probe.cxx_compiler", lambda environment: "/usr/bin/g++")
    monkeypatch.setattr("wbtui.launch.probe.has_python_headers", lambda: True)
    with pytest.raises(UsageError, match="device = 'auto' is a CUDA device here; expected device = 'cpu'"):
        check_engine("compiled", "auto")
    check_engine("compiled", "cpu")
    monkeypatch.setattr("wbtui.launch.probe._why_not", lambda device: "torch sees none")
    check_engine("compiled", "auto")
    monkeypatch.setattr("wbtui.launch.probe.has_python_headers", lambda: False)
    with pytest.raises(UsageError, match=r"needs Python\.h, .*expected engine = 'eager'"):
        check_engine("compiled", "cpu")
    monkeypatch.setattr("wbtui.launch.probe.cxx_compiler", lambda environment: "")
    with pytest.raises(UsageError, match=r"needs a C\+\+ compiler.*expected engine = 'eager'"):
        check_engine("compiled", "cpu")


def test_the_compiler_is_the_one_that_torch_takes(tmp_path: Path) -> None:
    for name in ("g++", "clang++", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    path = {"PATH": str(tmp_path)}
    assert cxx_compiler(path) in (str(tmp_path / "g++"), str(tmp_path / "clang++"))
    assert cxx_compiler(path | {"CXX": "mine"}) == str(tmp_path / "mine")
    assert cxx_compiler(path | {"CXX": "other"}) == ""


def test_the_headers_are_those_of_this_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.compiler.sysconfig.get_path", lambda name: str(tmp_path))
    assert not has_python_headers()
    (tmp_path / "Python.h").touch()
    assert has_python_headers()
