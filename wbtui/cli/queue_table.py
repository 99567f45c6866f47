"""What does `wbtui queue` print?"""

import itertools
from collections.abc import Mapping
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from wbtui.cli.progress import labels_of
from wbtui.launch import queue_files, slots
from wbtui.launch.grid import split_list
from wbtui.launch.queue_files import Entry, QueueSettings
from wbtui.launch.worker import device_of, peek, worker_lives
from wbtui.report.terminal import make_console
from wbtui.store.errors import StoreReadError
from wbtui.store.ids import check_runs_folder, file_not_folder, run_ids, short_ids
from wbtui.store.reader import Run, open_run
from wbtui.store.runs_folder import runs_words
from wbtui.store.text import plain


def print_queue(runs: Path) -> None:
    """Print the worker, the slots, and the runs at work and waiting."""
    try:
        (
            runs / queue_files.PLACE
        ).stat()  # says why it may not be looked at, which is_dir() does not everywhere
    except FileNotFoundError:
        check_runs_folder(runs)
        print("nothing was ever queued here; `wbtui queue add` does")
        return
    except NotADirectoryError:
        raise file_not_folder(runs) from None
    working, waiting = peek(runs)
    settings = queue_files.read_settings(runs)
    console = make_console()
    at_once = ", ".join(f"{device}={count}" for device, count in settings.slots.items())
    head = [f"{len(waiting)} waiting, {len(working)} at work", f"slots {plain(at_once)}"]
    anything = bool(working or waiting)
    if anything or settings.paused:  # else no worker is needed, and none would come
        head.append(_worker(runs, settings))
    console.print(Text("; ".join(head)), soft_wrap=True)
    if not anything:
        return
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for title in ("", "run", "what", "device", "state", "retries"):
        table.add_column(title, justify="right" if title in ("", "retries") else "left", overflow="fold")
    short = short_ids([*run_ids(runs), *(entry.folder.name for entry in (*working, *waiting))])
    silent = []
    for entry in working:
        state = open_run(entry.folder).state()
        _add(table, short, "", entry, f"{state.name}, slot {plain(entry.ticket.slot)}")
        if state.name == "unknown":
            command = f"`wbtui queue remove {short[entry.folder.name]}{runs_words(runs)}`"
            silent.append(
                f"{short[entry.folder.name]} may be at work and keeps its slot: {state.evidence}; if it is dead, "
                f"{command} frees the slot"
            )
    for place, entry in enumerate(waiting, 1):
        _add(table, short, str(place), entry, _why_waiting(entry, settings))
    console.print(table)
    for sentence in silent:
        console.print(sentence, soft_wrap=True)


def _worker(runs: Path, settings: QueueSettings) -> str:
    command = f"`wbtui queue start{plain(runs_words(runs))}`"
    if settings.paused:
        return f"paused, {command} starts it"
    return "the worker works" if worker_lives(runs) else f"no worker works, {command} starts one"


def _why_waiting(entry: Entry, settings: QueueSettings) -> str:
    device = device_of(entry.folder)
    if not any(slots.fits(slot, device) for slot in settings.slots):
        return f"no slot for {plain(device)}: `wbtui queue start --slots`"
    return "waiting" if open_run(entry.folder).state().name == "queued" else "crashed, to be tried again"


def _add(table: Table, short: Mapping[str, str], place: str, entry: Entry, state: str) -> None:
    run = open_run(entry.folder)
    labels = labels_of(run)
    what = " ".join([str(labels), *varied_settings(run, one_stage=len(labels.stages) == 1)])
    cells = (place, short[entry.folder.name], what, plain(device_of(entry.folder)), state)
    table.add_row(*(Text(cell) for cell in cells), Text(str(entry.ticket.retries)))


def varied_settings(run: Run, one_stage: bool) -> list[str]:
    """What a run has of the lists behind `--set` on its command line, e.g. `stages.1.learning_rate=0.1`.

    Args:
        run: the run.
        one_stage: whether it has but one, whose keys are then told without it: `learning_rate=0.1`.
    """
    try:
        command, origins = (run.provenance.get(name) for name in ("command", "origins"))
    except StoreReadError:
        return []
    if not isinstance(command, list) or not isinstance(origins, dict):
        return []
    found = []
    for option, word in itertools.pairwise(["", *map(str, command)]):
        if option != "--set" and not word.startswith("--set="):
            continue
        key, _, values = word.removeprefix("--set=").partition("=")
        if len(split_list(values)) > 1:
            found.append(plain(str(origins.get(key, "")).removeprefix("--set ")))
    return [text.removeprefix("stages.0.") for text in found] if one_stage else found
