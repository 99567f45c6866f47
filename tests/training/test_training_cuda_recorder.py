"""In which order does the recorder of CUDA graphs use streams, pools and marks?

torch.cuda is a stand-in that only notes what is asked of it: what CUDA makes of that no CPU can tell.
"""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from wbtui.training.engine import CudaRecorder

DEVICE = torch.device("cuda:1")


class Stream:
    """A stream that knows its device and what it was told to wait for."""

    def __init__(self, cuda: "Cuda", name: str, device: torch.device) -> None:
        self._cuda, self.name, self.device = cuda, name, device

    def wait_stream(self, other: "Stream") -> None:
        self._cuda.asked.append(f"{self.name} waits for {other.name}")


class Cuda:
    """The current device and stream of each device, and everything asked in its order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.devices = [torch.device("cuda:0")]
        names = ("cuda:0", "cuda:1")
        self.streams = {name: Stream(self, f"default of {name}", torch.device(name)) for name in names}
        self._numbers = itertools.count(1)

    def current_stream(self, device: torch.device | None = None) -> Stream:
        return self.streams[str(device or self.devices[-1])]

    def new_stream(self, device: torch.device) -> Stream:
        return Stream(self, f"stream {next(self._numbers)}", device)

    @contextmanager
    def device(self, device: torch.device) -> Iterator[None]:
        self.devices.append(device)
        try:
            yield
        finally:
            self.devices.pop()

    @contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        before = self.current_stream(stream.device)
        self.streams[str(stream.device)] = stream
        try:
            yield
        finally:
            self.streams[str(stream.device)] = before

    def new_graph(self) -> "Graph":
        return Graph(self)

    def new_event(self, blocking: bool) -> "Event":
        assert blocking  # else the host spins while it waits
        return Event(self, next(self._numbers))

    def pool(self) -> int:
        return next(self._numbers)


class Graph:
    """A CUDA graph that notes on which stream it was replayed."""

    def __init__(self, cuda: Cuda) -> None:
        self._cuda = cuda

    def replay(self) -> None:
        self._cuda.asked.append(f"replay on {self._cuda.current_stream(DEVICE).name}")


class Event:
    """A mark in a stream."""

    def __init__(self, cuda: Cuda, number: int) -> None:
        self._cuda, self._number = cuda, number

    def record(self, stream: Stream) -> None:
        self._cuda.asked.append(f"mark {self._number} on {stream.name}")

    def synchronize(self) -> None:
        self._cuda.asked.append(f"host waits for mark {self._number}")


class Recording:
    """torch.cuda.graph: it leaves its stream current where ending a recording raises."""

    def __init__(self, graph: Graph, pool: int, stream: Stream) -> None:
        self._cuda, self._pool, self._stream = graph._cuda, pool, stream
        self._entered = self._cuda.stream(stream)

    def __enter__(self) -> None:
        self._cuda.asked.append(f"record on {self._stream.name} in pool {self._pool}")
        self._entered.__enter__()

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is not None:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        self._entered.__exit__(None, None, None)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    found = Cuda()
    monkeypatch.setattr(torch.cuda, "device", found.device)
    monkeypatch.setattr(torch.cuda, "Stream", found.new_stream)
    monkeypatch.setattr(torch.cuda, "stream", found.stream)
    monkeypatch.setattr(torch.cuda, "current_stream", found.current_stream)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", found.pool)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", found.new_graph)
    monkeypatch.setattr(torch.cuda, "graph", Recording)
    monkeypatch.setattr(torch.cuda, "Event", found.new_event)
    return found


def at_work(cuda: Cuda) -> None:
    """What is warmed up and recorded: kernels on the device's current stream."""
    assert cuda.devices[-1] == DEVICE
    cuda.asked.append(f"work on {cuda.current_stream().name}")


def test_warm_ups_and_recordings_share_a_stream_that_waits_for_the_default_one_and_is_waited_for(
    cuda: Cuda,
) -> None:
    recorder = CudaRecorder(DEVICE)
    recorder.warm_up(lambda: at_work(cuda))
    replays = [recorder.record(lambda: at_work(cuda)) for _ in range(2)]
    for replay in replays:
        replay()
    recorded = ["record on stream 2 in pool 1", "work on stream 2"]
    assert cuda.asked == [
        "stream 2 waits for default of cuda:1",
        "work on stream 2",
        "default of cuda:1 waits for stream 2",
        *recorded,
        *recorded,
        *["replay on default of cuda:1"] * 2,
    ]


def test_a_recording_that_breaks_off_leaves_device_and_streams_as_they_were(cuda: Cuda) -> None:
    def fails() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    before = dict(cuda.streams)
    with pytest.raises(RuntimeError, match="during capture") as raised:
        CudaRecorder(DEVICE).record(fails)
    assert isinstance(raised.value.__context__, torch.OutOfMemoryError)
    assert cuda.streams == before
    assert cuda.devices == [torch.device("cuda:0")]


def test_the_host_is_at_most_two_marks_ahead(cuda: Cuda) -> None:
    recorder = CudaRecorder(DEVICE)
    for _ in range(3):
        recorder.pace()
    assert cuda.asked == [
        "mark 3 on default of cuda:1",
        "mark 4 on default of cuda:1",
        "host waits for mark 3",
        "mark 5 on default of cuda:1",
        "host waits for mark 4",
    ]
