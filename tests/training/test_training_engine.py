"""Recorded steps over fixed buffers are the plain loop bit for bit, and a copy left out is found."""

import contextlib
import dataclasses
import gc
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from tests.training.whole_runs import CPU
from wbtui.config import ModelConfig, RunConfig, StageConfig
from wbtui.data.batches import DeviceImages
from wbtui.data.epoch_plan import epoch_plan
from wbtui.errors import UsageError
from wbtui.models.model import WbModel, build_model
from wbtui.training.engine import EagerSteps, PythonRecorder, StaticSteps, Steps, kept
from wbtui.training.losses import build_loss
from wbtui.training.out_of_memory import ran_out
from wbtui.training.runtime import Runtime, identity, resolve_engine, resolve_runtime
from wbtui.training.stage import CachedFeatures, RunningSums, Stage

EAGER, GRAPHS = (Runtime(CPU, "fp32", 1, engine) for engine in ("eager", "graphs"))
CLASSES, BATCH, PADDING = 3, 16, 2
REPRESENTATION = StageConfig(epochs=40, batch_size=BATCH, learning_rate=0.05, weight_decay=5e-3)


class World:
    """A small net, its images and one stage, from the same start every time."""

    def __init__(self, config: StageConfig = REPRESENTATION, runtime: Runtime = GRAPHS, n: int = 70) -> None:
        torch.manual_seed(0)
        head = {"ldam": "cosine"}.get(config.loss.name, "linear")
        model = ModelConfig.model_validate({"name": "resnet8", "width": 4, "head": head})
        self.model: WbModel = build_model(model, CLASSES, channels=1, image_size=8)
        self.model.to(memory_format=torch.channels_last)
        draw = torch.Generator().manual_seed(1)
        pixels = torch.randint(0, 256, (n, 1, 8, 8), generator=draw, dtype=torch.uint8)
        self.labels = torch.arange(n) % CLASSES
        self.images = DeviceImages(pixels, self.labels, mean=(0.4,), std=(0.2,), crop_padding=PADDING)
        if config.trains == "classifier_scale":
            self.model.head.add_class_scale()
        self.config, self.runtime = config, runtime
        self.stage = Stage(0, config, self.model, np.array([30, 25, 15]), runtime)
        self.sums = RunningSums(CLASSES, CPU)
        self.losses: list[float] = []

    def source(self) -> DeviceImages | CachedFeatures:
        if self.config.features != "cached":
            return self.images
        draw = torch.Generator().manual_seed(2)
        features = torch.randn(len(self.labels), self.model.head.weight.shape[1], generator=draw)
        return CachedFeatures(features, self.labels)

    def static(self) -> StaticSteps:
        return StaticSteps(self.stage, self.source(), self.sums, PythonRecorder, CPU)

    def eager(self) -> EagerSteps:
        return EagerSteps(self.stage, self.source(), self.sums)

    def train(self, steps: Steps, epochs: int, first_epoch: int = 0) -> "World":
        for epoch in range(first_epoch, first_epoch + epochs):
            plan = self.stage.plan(self.labels, 7, epoch, PADDING, horizontal_flip=True)
            self.stage.begin_epoch(epoch)
            steps.begin_epoch(plan, self.stage.learning_rates(epoch, len(plan)), 0)
            for batch in range(len(plan)):
                steps.take(batch)
            self.stage.end_epoch()
            self.losses.append(self.sums.loss.item())
            self.sums.reset()
        return self

    def state(self) -> dict[str, Tensor]:
        names = {id(parameter): name for name, parameter in self.model.named_parameters()}
        momenta = {
            f"momentum of {names[id(parameter)]}": state["momentum_buffer"]
            for parameter, state in self.stage.optimizer.state.items()
            if state.get("momentum_buffer") is not None
        }
        return {
            **self.model.state_dict(),
            **momenta,
            "losses": torch.tensor(self.losses, dtype=torch.float64),
        }


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def plain_loop(epochs: int, n: int = 70, nesterov: bool = False) -> dict[str, Tensor]:
    """What everybody would write: forward, backward, step, with torch's own optimizer and schedule."""
    world = World(n=n)
    model, rate, decay = world.model, REPRESENTATION.learning_rate, REPRESENTATION.weight_decay
    optimizer = torch.optim.SGD(
        model.parameters(), lr=rate, momentum=0.9, weight_decay=decay, nesterov=nesterov, fused=True
    )
    losses = []
    for epoch in range(epochs):
        plan = epoch_plan(
            world.labels, BATCH, seed=7, stage=0, epoch=epoch, crop_padding=PADDING, horizontal_flip=True
        )
        total = 0.0
        model.train()
        for batch in range(len(plan)):
            images, labels = world.images.batch(plan, batch)
            progress = (epoch + batch / len(plan)) / REPRESENTATION.epochs
            optimizer.param_groups[0]["lr"] = 0.5 * rate * (1 + np.cos(np.pi * progress))
            loss = F.cross_entropy(model.head(model.backbone(images)), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += (loss.detach() * len(labels)).item()
        losses.append(total)
    world.stage.optimizer, world.losses = optimizer, losses
    return world.state()


@pytest.mark.parametrize(("n", "nesterov"), [(70, False), (65, False), (64, False), (70, True)])
def test_replayed_steps_are_the_plain_loop_bit_for_bit(n: int, nesterov: bool) -> None:
    """200 steps of 16 images with a remainder of 6; and with a remainder of 1 that joined, without one, Nesterov."""
    epochs = 40 if n == 70 and not nesterov else 5
    config = REPRESENTATION.model_copy(update={"nesterov": nesterov})
    world = World(config, n=n)
    replayed = world.train(world.static(), epochs).state()
    assert differing(replayed, plain_loop(epochs, n, nesterov)) == []


STAGES = {
    "constraint": {
        "trains": "classifier",
        "constraint": "maxnorm",
        "weight_decay": 0.1,
        "loss": {"name": "cb"},
    },
    "constraint_each_epoch": {"trains": "classifier", "constraint": "maxnorm", "maxnorm_every": "epoch"},
    "moving_statistics": {"trains": "classifier", "freeze_bn_stats": False},
    "cached": {
        "trains": "classifier",
        "features": "cached",
        "loss": {"name": "cb", "cb_form": "bce_softmax"},
    },
    "scale": {"trains": "classifier_scale", "sampler": "class_balanced"},
    "penalty": {"feature_regularization": 0.01, "decay_rule": "no_bn", "schedule": "cosine_papers"},
    "fixed_scale_no_momentum": {"bn_scale": "fixed", "momentum": 0.0},
    "deferred_weights": {"loss": {"name": "ldam", "reweight_from": 0.5}},
}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_kind_of_stage_replays_as_it_steps(name: str, precision: str) -> None:
    config = StageConfig.model_validate(
        {"epochs": 4, "batch_size": BATCH, "learning_rate": 0.1, **STAGES[name]}
    )
    runtimes = [dataclasses.replace(runtime, precision=precision) for runtime in (EAGER, GRAPHS)]
    eager, static = World(config, runtimes[0]), World(config, runtimes[1])
    start = {name: value.clone() for name, value in static.state().items()}
    eager.train(eager.eager(), 4)
    static.train(static.static(), 4)
    assert differing(eager.state(), static.state()) == []
    assert any(not torch.equal(start[key], value) for key, value in static.state().items() if key in start)


@pytest.mark.parametrize("forgotten", ["order", "offsets", "flips", "rates"])
def test_a_buffer_left_as_it_was_is_found(forgotten: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above must be able to fail: the copy into one buffer happens in the first epoch only."""
    world, load_buffer = World(), StaticSteps._load

    def forgetful(steps: StaticSteps, name: str, values: Tensor) -> None:
        if name != forgotten or name not in steps._buffers:
            load_buffer(steps, name, values)

    monkeypatch.setattr(StaticSteps, "_load", forgetful)
    replayed = world.train(world.static(), 3).state()
    assert "head.weight" in differing(replayed, plain_loop(3))


def test_gradients_that_are_not_cleared_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(world.stage.optimizer, "zero_grad", lambda set_to_none: None)
    assert "head.weight" in differing(world.train(world.static(), 1).state(), plain_loop(1))


class Counted:
    """Counts recordings, and keeps warm-ups apart."""

    def __init__(self) -> None:
        self.recordings, self.warm_ups, self.replays, self.paces = 0, 0, 0, list[int]()
        self.order: list[str] = []

    def __call__(self) -> "Counted":
        return self

    def warm_up(self, function: Callable[[], None]) -> None:
        self.warm_ups += 1
        self.order.append("warm up")
        function()

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        self.recordings += 1
        self.order.append("record")

        def replay() -> None:
            self.replays += 1
            function()

        return replay

    def pace(self) -> None:
        self.paces.append(self.replays)


def test_warming_up_and_recording_change_nothing() -> None:
    """Not the weights, BatchNorm statistics, momentum, sums or generators: the first step is still the first."""
    world, counted = World(), Counted()
    world.train(world.static(), 1)  # momentum and sums that are not zero
    world.sums.loss.fill_(3.0)
    before = {name: value.clone() for name, value in world.state().items()}
    torch.rand(3)
    generator, sums = torch.get_rng_state(), {k: v.clone() for k, v in vars(world.sums).items()}
    drawing = world.model.register_forward_pre_hook(lambda *_: torch.rand(1))
    hooked = world.model.backbone.register_forward_pre_hook(lambda *_: (torch.rand(1), None)[1])
    plan = world.stage.plan(world.labels, 7, 1, PADDING, horizontal_flip=True)
    world.stage.begin_epoch(1)
    steps = StaticSteps(world.stage, world.source(), world.sums, counted, CPU)
    steps.begin_epoch(plan, world.stage.learning_rates(1, len(plan)), 0)
    drawing.remove()
    hooked.remove()
    assert (counted.recordings, counted.warm_ups) == (
        2,
        6,
    )  # the full batch and the remainder, three times each
    assert counted.order == ["warm up"] * 6 + ["record"] * 2  # no warm-up needs memory beside a recording's
    assert differing(before, world.state()) == []
    assert all(torch.equal(sums[name], value) for name, value in vars(world.sums).items())
    assert torch.equal(generator, torch.get_rng_state())


def test_replays_wait_for_the_device_now_and_then_however_long_an_epoch_is() -> None:
    """A host far ahead would wait at the end of the epoch, deaf to a request to stop."""
    config = REPRESENTATION.model_copy(update={"batch_size": 2})
    world, counted = World(config, n=140), Counted()
    world.train(StaticSteps(world.stage, world.source(), world.sums, counted, CPU), 2)
    assert counted.replays == 140
    assert counted.paces == [64, 128]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("operation not permitted when stream is capturing\nCompile with TORCH_USE_CUDA_DSA"), None),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB"), "device"),
    ],
)  # fmt: skip
def test_a_recording_that_breaks_off_names_the_engine_that_needs_none(
    error: Exception, kind: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(*_: object) -> None:
        try:
            raise error
        finally:  # as torch ends a recording that has broken off
            raise RuntimeError("operation failed due to a previous error during capture")

    monkeypatch.setattr(PythonRecorder, "record", breaks_off)
    world = World()
    before = world.state()
    with pytest.raises(RuntimeError, match="engine = 'eager' takes them one by one: ") as raised:
        world.train(world.static(), 1)
    assert str(raised.value).endswith(f": {str(error).partition(chr(10))[0]}")
    assert ran_out(raised.value) == kind
    assert not differing(world.model.state_dict(), {name: before[name] for name in world.model.state_dict()})


def test_warming_up_without_keeping_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wbtui.training.engine.kept", lambda *_: contextlib.nullcontext())
    world = World()
    found = differing(world.train(world.static(), 1).state(), plain_loop(1))
    assert {"head.weight", "momentum of head.weight", "losses"} <= set(found)
    assert any(name.endswith("running_mean") for name in found)


def test_what_is_kept_comes_back_even_after_an_error() -> None:
    weight, generator = torch.ones(3), torch.get_rng_state()

    def fail() -> None:
        with kept([weight], CPU):
            weight.zero_()
            torch.rand(2)
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        fail()
    assert torch.equal(weight, torch.ones(3))
    assert torch.equal(generator, torch.get_rng_state())


def in_a_graph_of_gradients() -> set[int]:
    """The tensors that are in one, whether or not anybody can reach them."""
    found = [one for one in gc.get_objects() if issubclass(type(one), Tensor)]
    return {id(tensor) for tensor in found if tensor.grad_fn is not None}


@pytest.mark.parametrize("name", ["eager", "static"])
def test_no_step_leaves_a_graph_of_gradients_behind(name: str) -> None:
    """Its nodes know the stream that they were made on, and a recording on another one would break off at them."""
    world = World(StageConfig.model_validate({"epochs": 4, "batch_size": BATCH, **STAGES["penalty"]}))
    gc.collect()
    gc.disable()  # not even until the next collection
    try:
        before = in_a_graph_of_gradients()
        world.train(getattr(world, name)(), 1)
        assert in_a_graph_of_gradients() <= before
        logits = world.model.head(torch.zeros(1, world.model.head.weight.shape[1]))
        assert id(logits) in in_a_graph_of_gradients()
    finally:
        gc.enable()


def test_another_loss_within_a_stage_is_recorded_anew_and_the_same_loss_is_not() -> None:
    config = StageConfig.model_validate({"epochs": 4, "batch_size": BATCH, **STAGES["deferred_weights"]})
    world, counted = World(config), Counted()
    steps = StaticSteps(world.stage, world.source(), world.sums, counted, CPU)
    made = [world.train(steps, 1, epoch) and counted.recordings for epoch in range(4)]
    assert made == [2, 2, 4, 4]


def test_recorded_steps_with_the_loss_of_the_first_epoch_would_be_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = StageConfig.model_validate({"epochs": 4, "batch_size": BATCH, **STAGES["deferred_weights"]})
    eager, static = World(config, EAGER), World(config)
    eager.train(eager.eager(), 4)
    first = build_loss(config.loss, np.array([30, 25, 15]), CPU, 0.0)
    monkeypatch.setattr("wbtui.training.stage.build_loss", lambda *_: first)
    static.train(static.static(), 4)
    assert "head.weight" in differing(eager.state(), static.state())


def test_steps_go_on_inside_an_epoch_from_a_loaded_state() -> None:
    """A run killed in a batch: weights and momentum are loaded, then the rest of the epoch is recorded and replayed."""
    straight = World()
    straight.train(straight.static(), 2)

    killed, steps = World(), None
    plan = killed.stage.plan(killed.labels, 7, 0, PADDING, horizontal_flip=True)
    steps = killed.static()
    killed.stage.begin_epoch(0)
    steps.begin_epoch(plan, killed.stage.learning_rates(0, len(plan)), 0)
    for batch in range(3):
        steps.take(batch)
    saved = (killed.model.state_dict(), killed.stage.optimizer.state_dict(), killed.sums.state())

    resumed = World()
    resumed.model.load_state_dict(saved[0])
    resumed.stage.optimizer.load_state_dict(saved[1])
    resumed.sums.load(saved[2])
    steps = resumed.static()
    resumed.stage.begin_epoch(0)
    steps.begin_epoch(plan, resumed.stage.learning_rates(0, len(plan)), 3)
    for batch in range(3, len(plan)):
        steps.take(batch)
    resumed.losses.append(resumed.sums.loss.item())
    resumed.sums.reset()
    resumed.train(steps, 1, first_epoch=1)
    assert differing(straight.state(), resumed.state()) == []


def test_the_first_batch_whose_loss_is_not_finite_is_named_by_replays_too() -> None:
    world = World()
    with torch.no_grad():
        world.model.head.bias.fill_(float("nan"))
    plan = world.stage.plan(world.labels, 7, 0, PADDING, horizontal_flip=True)
    world.stage.begin_epoch(0)
    steps = world.static()
    steps.begin_epoch(plan, world.stage.learning_rates(0, len(plan)), 2)
    steps.take(2)
    steps.take(3)
    assert world.sums.first_bad_batch.item() == 2


def test_graphs_on_a_device_without_them_are_refused_in_one_message() -> None:
    with pytest.raises(
        ValidationError, match=r"engine = 'graphs' replays CUDA graphs, which device = 'cpu' has not"
    ):
        RunConfig(engine="graphs", device="cpu")
    with pytest.raises(UsageError, match=r"engine = 'graphs'.*device is cpu.*expected"):
        resolve_engine("graphs", CPU)


def test_auto_is_eager_and_the_engine_belongs_to_the_identity() -> None:
    runtime = resolve_runtime(RunConfig(device="cpu", threads=1), image_size=8)
    assert runtime.engine == resolve_engine("auto", torch.device("cuda")) == "eager"
    now = identity(runtime)
    assert now.differences(dataclasses.asdict(now) | {"engine": "graphs"}) == ["engine 'graphs' -> 'eager'"]
    earlier = dataclasses.asdict(now)
    del earlier["engine"]
    assert now.differences(earlier) == []
