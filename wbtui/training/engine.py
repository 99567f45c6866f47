"""How are the steps of an epoch taken: one by one from Python, or recorded once and replayed over fixed buffers?

Eager is the reference. Recorded steps are for GPUs whose kernels finish before Python has launched the next one: on
CUDA a whole step (its images out of the epoch's plan, forward, backward, update, constraint, sums) is one CUDA graph,
and an epoch is one replay a batch with nothing in between. What changes from step to step stands in buffers that never
move. Compiled steps are for processors: eager ones whose net went through torch.compile.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor

from wbtui.data.epoch_plan import EpochPlan
from wbtui.training.checkpoint import generator_states, restore_generators
from wbtui.training.losses import Loss
from wbtui.training.runtime import Runtime
from wbtui.training.stage import BatchSource, RunningSums, Stage

WARM_UPS = 3
"""Steps before a recording, as torch asks for: libraries choose algorithms and take workspace in the first ones."""

AHEAD = 64
"""Replays between two marks: the host is at most two marks ahead of the device, so a stop is heard within seconds."""


class Steps(Protocol):
    """The steps of one stage, an epoch at a time."""

    @property
    def ready(self) -> bool:
        """Whether the next `begin_epoch` has nothing to record or compile, which may take a minute."""

    def begin_epoch(self, plan: EpochPlan, rates: list[float], first: int) -> None:
        """Be ready for the batches of a plan, from batch `first` on, at one learning rate a batch."""

    def take(self, batch: int) -> None:
        """One step of SGD on this batch, the next one of the epoch, added to the running sums."""


def build_steps(stage: Stage, source: BatchSource, sums: RunningSums, runtime: Runtime) -> Steps:
    """The steps of a stage as the run's engine takes them.

    Weights and momentum are already what they are to go on from. On a CPU `graphs` replays the same step over the same
    buffers from Python, which is how its correctness is tested without a GPU.
    """
    if runtime.engine == "compiled" and stage.compiles:
        return CompiledSteps(stage, source, sums, runtime.device)
    if runtime.engine != "graphs":
        return EagerSteps(stage, source, sums)
    on_cuda = runtime.device.type == "cuda"
    recorder = partial(CudaRecorder, runtime.device) if on_cuda else PythonRecorder
    return StaticSteps(stage, source, sums, recorder, runtime.device)


class EagerSteps:
    """Each step from Python: the reference."""

    def __init__(self, stage: Stage, source: BatchSource, sums: RunningSums) -> None:
        self._stage, self._source, self._sums = stage, source, sums
        self._plan: EpochPlan
        self._rates: list[float] = []

    @property
    def ready(self) -> bool:
        """As `Steps.ready`."""
        return True

    def begin_epoch(self, plan: EpochPlan, rates: list[float], first: int) -> None:
        """As `Steps.begin_epoch`."""
        self._plan, self._rates = plan, rates

    def take(self, batch: int) -> None:
        """As `Steps.take`."""
        inputs, labels = self._source.batch(self._plan, batch)
        loss, logits = self._stage.step(inputs, labels, self._rates[batch])
        self._sums.add(loss, logits, labels, batch)


class CompiledSteps(EagerSteps):
    """Eager steps whose full batches go through a compiled net; the remainder, another shape, does not."""

    def __init__(self, stage: Stage, source: BatchSource, sums: RunningSums, device: torch.device) -> None:
        super().__init__(stage, source, sums)
        self._device, self._compiled = device, False

    @property
    def ready(self) -> bool:
        """As `Steps.ready`."""
        return self._compiled

    def begin_epoch(self, plan: EpochPlan, rates: list[float], first: int) -> None:
        """As `Steps.begin_epoch`; compiles before the first epoch, on a batch that leaves no trace."""
        super().begin_epoch(plan, rates, first)
        if not self._compiled:
            inputs, _ = self._source.batch(plan, 0)
            with kept(self._stage.tensors(), self._device):
                self._stage.compile_features(inputs)
            self._compiled = True


class Recorder(Protocol):
    """Turns a function over fixed buffers into something that can be replayed."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """Run the function as it will be recorded, for its side effects on libraries."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """What does the function's work again whenever it is called; recording itself does none of it."""

    def pace(self) -> None:
        """Set a mark after all replays so far, and wait until the device has passed the mark before."""


class PythonRecorder:
    """Replays by calling."""

    def warm_up(self, function: Callable[[], None]) -> None:
        """As `Recorder.warm_up`."""
        function()

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """As `Recorder.record`."""
        return function

    def pace(self) -> None:
        """Nothing to wait for: a call returns when its work is done."""


class CudaRecorder:
    """Replays CUDA graphs. Those of one recorder share memory: they never run at once and leave nothing in it.

    Warm-ups and recordings share one stream beside the default one, which cannot be recorded: cuBLAS keeps a workspace
    (32 MiB on Hopper) for each stream that it has seen, and finds that of the warm-ups when it is recorded.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        self._aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch's own
        self._mark: torch.cuda.Event | None = None

    def warm_up(self, function: Callable[[], None]) -> None:
        """As `Recorder.warm_up`."""
        with torch.cuda.device(self._device):
            self._aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._aside):
                function()
            torch.cuda.current_stream().wait_stream(self._aside)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """As `Recorder.record`."""
        graph = torch.cuda.CUDAGraph()
        # torch.cuda.graph does not leave its stream where a recording breaks off; the context around it does.
        with (
            torch.cuda.device(self._device),
            torch.cuda.stream(self._aside),
            torch.cuda.graph(graph, pool=self._pool, stream=self._aside),
        ):
            function()
        return graph.replay

    def pace(self) -> None:
        """As `Recorder.pace`; sleeps while it waits."""
        before = self._mark
        self._mark = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]  # torch's own
        self._mark.record(torch.cuda.current_stream(self._device))
        if before is not None:
            before.synchronize()


class StaticSteps:
    """Steps that are recorded once for each batch size of an epoch and then only replayed.

    The remainder has a recording of its own: padding it would change BatchNorm, dropping it the recipe. A recording
    knows the addresses of weights, momentum, sums and plan, and as constants the loss, the constraint and whether
    BatchNorm trains. So stages have their own, and another loss within a stage (deferred re-weighting) records anew.
    Gradients are made inside a recording and last no longer than its replay: adding to ones that stand outside would
    be a kernel more for each parameter, over the memory of all weights.
    """

    def __init__(
        self,
        stage: Stage,
        source: BatchSource,
        sums: RunningSums,
        recorder: Callable[[], Recorder],
        device: torch.device,
    ) -> None:
        self._stage, self._source, self._sums = stage, source, sums
        self._new_recorder, self._device = recorder, device
        self._buffers: dict[str, Tensor] = {}
        self._sizes: list[int] = []
        self._crop_padding = 0
        self._rate = torch.zeros((), device=device)
        self._batch = torch.zeros(1, dtype=torch.int64, device=device)
        self._replays: dict[int, Callable[[], None]] = {}
        self._recorder: Recorder
        self._taken = 0
        self._recorded: Loss | None = None

    @property
    def ready(self) -> bool:
        """As `Steps.ready`."""
        return self._recorded is self._stage.loss

    def begin_epoch(self, plan: EpochPlan, rates: list[float], first: int) -> None:
        """As `Steps.begin_epoch`; records where nothing is recorded yet for this epoch's loss."""
        self._sizes = [stop - start for start, stop in plan.bounds]
        self._crop_padding = plan.crop_padding
        changing = {"order": plan.order, "offsets": plan.offsets, "flips": plan.flips}
        changing["starts"] = torch.tensor([start for start, _ in plan.bounds])
        changing["rates"] = torch.tensor(rates, dtype=torch.float32)
        for name, values in changing.items():
            self._load(name, values)
        if not self.ready:
            self._record()
        self._batch.fill_(first)

    def take(self, batch: int) -> None:
        """As `Steps.take`."""
        self._replays[self._sizes[batch]]()
        self._taken += 1
        if self._taken % AHEAD == 0:
            self._recorder.pace()

    def _load(self, name: str, values: Tensor) -> None:
        """Copy what an epoch brings into the buffer that recordings read; its first use makes the buffer."""
        if name not in self._buffers:
            self._buffers[name] = torch.zeros_like(values, device=self._device)
        self._buffers[name].copy_(values)

    def _record(self) -> None:
        """Record a step for each batch size, the largest first: the others then fit into its memory.

        All are warmed up before: a warm-up takes memory of its own, which is given back at the first recording, where
        one after it would need memory beside what recordings keep.
        """
        self._replays.clear()
        self._recorder = self._new_recorder()
        self._make_momentum()
        for group in self._stage.optimizer.param_groups:
            group["lr"] = self._rate
        try:
            self._record_sizes(sorted(set(self._sizes), reverse=True))
        except RuntimeError as error:
            first: BaseException = error
            while isinstance(first.__context__, RuntimeError):  # torch's own end of a recording comes over it
                first = first.__context__
            said = str(first).partition("\n")[0]
            raise RuntimeError(
                f"engine = 'graphs': a step could not be recorded, engine = 'eager' takes them one by one: {said}"
            ) from error
        self._stage.optimizer.zero_grad(set_to_none=True)
        self._recorded = self._stage.loss

    def _record_sizes(self, sizes: list[int]) -> None:
        with kept(self._moving(), self._device):
            for size in sizes:
                for _ in range(WARM_UPS):
                    self._batch.zero_()
                    self._recorder.warm_up(partial(self._step, size))
        for size in sizes:
            self._stage.optimizer.zero_grad(set_to_none=True)
            self._replays[size] = self._recorder.record(partial(self._step, size))

    def _step(self, size: int) -> None:
        """What is recorded: the step of the batch whose number stands in `_batch`, which then moves on."""
        shown = self._buffers["starts"].index_select(0, self._batch) + torch.arange(size, device=self._device)
        order, offsets, flips = (
            self._buffers[name].index_select(0, shown) for name in ("order", "offsets", "flips")
        )
        window = EpochPlan(order, offsets, flips, ((0, size),), self._crop_padding)
        inputs, labels = self._source.batch(window, 0)
        self._rate.copy_(self._buffers["rates"].index_select(0, self._batch)[0])
        self._stage.optimizer.zero_grad(set_to_none=True)
        loss, logits = self._stage.descend(inputs, labels)
        self._sums.add(loss, logits, labels, self._batch[0])
        self._batch.add_(1)

    def _make_momentum(self) -> None:
        """What an optimizer makes in its first step must have its place before. From 0 the first step is the same."""
        for group in self._stage.optimizer.param_groups:
            for parameter in group["params"]:
                state = self._stage.optimizer.state[parameter]
                if group["momentum"] and state.get("momentum_buffer") is None:
                    state["momentum_buffer"] = torch.zeros_like(parameter)

    def _moving(self) -> list[Tensor]:
        """All that a step changes and the next one depends on."""
        momenta = [state.get("momentum_buffer") for state in self._stage.optimizer.state.values()]
        return [
            *self._stage.tensors(),
            *(momentum for momentum in momenta if momentum is not None),
            *vars(self._sums).values(),
            self._batch,
            self._rate,
        ]


@contextmanager
def kept(tensors: Iterable[Tensor], device: torch.device) -> Iterator[None]:
    """Whatever happens inside, these tensors and torch's generators are afterwards what they were."""
    tensors = list(tensors)
    before, generators = [tensor.detach().clone() for tensor in tensors], generator_states(device)
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, values in zip(tensors, before, strict=True):
                tensor.copy_(values)
        restore_generators(generators, device)
