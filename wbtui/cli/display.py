"""How does a run that is followed look: on a terminal, in a log, as JSON, or not at all?"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from wbtui.cli.progress import Standing
from wbtui.report.figures import GROUP_TITLES
from wbtui.report.values import duration, figure, percent
from wbtui.store.events import EventReader
from wbtui.store.format import FORMAT_VERSION
from wbtui.store.history import Epoch
from wbtui.store.text import plain

TRIED_AGAIN = "waits in the queue to be tried again"


class Display(Protocol):
    """Shows runs while they are followed."""

    def show(self, standings: Sequence[Standing]) -> None:
        """Show where the runs stand now; called again and again."""

    def say(self, message: str) -> None:
        """Tell the person something that is not a measurement."""

    def close(self) -> None:
        """Leave the terminal as it was; nothing more is shown."""


def accuracy_words(scalars: Mapping[str, float]) -> str:
    """`All 43.1  Many 75.0  Medium 41.2  Few 9.8` on test."""
    words = (
        f"{title} {percent(scalars.get(f'test.accuracy.{group}'))}" for group, title in GROUP_TITLES.items()
    )
    return "  ".join(words)


def geometry_words(scalars: Mapping[str, float]) -> str:
    """Fisher's discriminant ratio of the test features and the mean BatchNorm scale."""
    return f"FDR {figure(scalars.get('test.fdr'))}  γ̄ {figure(scalars.get('bn.scale.mean'))}"


class PlainDisplay:
    """One line an epoch: for logs and pipes."""

    def __init__(self, several: bool) -> None:
        self._several = several
        self._shown: dict[str, int] = {}
        self._states: dict[str, str] = {}

    def show(self, standings: Sequence[Standing]) -> None:
        """Print the epochs that are new."""
        for standing in standings:
            run = standing.run.id
            last = min(self._shown.get(run, standing.history.taken_over), standing.epochs_done)
            for number, epoch in standing.history.epochs.items():
                if number > last:
                    print(self._line(standing, epoch), flush=True)
            self._shown[run] = standing.epochs_done
            if standing.state.name != self._states.get(run):
                if standing.state.name == "stalled":
                    self.say(f"{self._prefix(standing)}stalled: {standing.state.evidence}")
                elif standing.state.name == "crashed" and standing.waits:
                    self.say(f"{self._prefix(standing)}crashed ({standing.state.evidence}), {TRIED_AGAIN}")
            self._states[run] = standing.state.name

    def _prefix(self, standing: Standing) -> str:
        return f"{standing.run.id.rsplit('-', 1)[-1]}  {standing.labels}  " if self._several else ""

    def _line(self, standing: Standing, epoch: Epoch) -> str:
        newest = epoch.number == standing.epochs_done
        scalars = epoch.scalars
        words = [
            f"{self._prefix(standing)}epoch {epoch.number}/{standing.labels.epochs}"
            + standing.labels.stage_words(epoch.number),
            f"loss {figure(scalars.get('running.loss'), 4)}",
            accuracy_words(scalars),
            geometry_words(scalars),
            f"{figure(scalars.get('time.images_per_second'), 4)} images/s",
        ]
        if newest and not standing.over:
            words.append(f"ETA {duration(standing.seconds_left)}")
        return "  ".join(words)

    def say(self, message: str) -> None:
        """Print to stderr."""
        print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to put back."""


class JsonDisplay:
    """The events themselves, one JSON object a line on stdout; the run's id stands in each."""

    def __init__(self) -> None:
        self._readers: dict[str, EventReader] = {}

    def show(self, standings: Sequence[Standing]) -> None:
        """Print the events that are new."""
        for standing in standings:
            run = standing.run
            if run.id not in self._readers:
                self._readers[run.id] = EventReader(run.path)
                self._print({"v": FORMAT_VERSION, "type": "run", "run": run.id, "folder": str(run.path)})
            more = True
            while more:
                batch = self._readers[run.id].poll()
                more = batch.more
                for event in batch.events:
                    head = {"v": FORMAT_VERSION, "seq": event.seq, "t": event.time, "type": event.type}
                    self._print(head | {"run": run.id} | dict(event.fields))

    def _print(self, line: Mapping[str, Any]) -> None:
        print(json.dumps(line, separators=(",", ":")), flush=True)

    def say(self, message: str) -> None:
        """Print to stderr, so that stdout stays JSON."""
        print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to put back."""


class QuietDisplay:
    """Nothing but what goes wrong."""

    def show(self, standings: Sequence[Standing]) -> None:
        """Show nothing."""

    def say(self, message: str) -> None:
        """Print to stderr."""
        print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing to put back."""


def stages_in_words(names: Iterable[str]) -> str:
    """Stage names as they are shown."""
    return plain(" → ".join(names))
