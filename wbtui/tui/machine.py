"""How busy is this machine? Asked only while something runs."""

import time

from wbtui.tui.snapshots import Machine

_EVERY_SECONDS = 2.0


class MachineSampler:
    """Processor, memory and the first GPU, at most every two seconds."""

    def __init__(self) -> None:
        self._next = 0.0
        self._last: Machine | None = None
        self._gpu: object = None

    def sample(self) -> Machine | None:
        """The machine now, or as it was within the last two seconds; None before the first two."""
        import psutil

        from wbtui.launch.samples import Gpu, open_gpu

        now = time.monotonic()
        if now < self._next:
            return self._last
        is_first, self._next = not self._next, now + _EVERY_SECONDS
        if is_first:
            self._gpu = open_gpu("auto")
            psutil.cpu_percent()  # the first call only starts the measurement: the next at once would say 0
            return None
        memory = psutil.virtual_memory()
        self._last = Machine(
            cpu_percent=psutil.cpu_percent(),
            memory_bytes=memory.total - memory.available,
            gpu=self._gpu.sample() if isinstance(self._gpu, Gpu) else {},
        )
        return self._last
