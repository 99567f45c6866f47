"""What does `wbtui show` say of a run: what it is, how it went, what it came to?"""

import shlex
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from wbtui.report.decay import run_notice
from wbtui.report.derived import damaged_derived, describe, load_derived
from wbtui.report.figures import GROUP_TITLES, SPLITS, Figures, figures_of, has_split, result_of
from wbtui.report.stages import data_in_words, model_in_words, stage_in_words
from wbtui.report.table import Cell, Column, Table, count_cell, figure_cell, pairs, percent_cell, text_cell
from wbtui.report.values import counted, duration, figure, moment, size
from wbtui.store.errors import StoreReadError
from wbtui.store.format import ATTEMPTS, RESULT, Notes, Result, RunState
from wbtui.store.reader import Run
from wbtui.store.records import read_result
from wbtui.store.setting import is_imported
from wbtui.store.summary import size_on_disk
from wbtui.store.text import plain

Answer = TypeVar("Answer")
_NOTHING: Mapping[str, Any] = {}

_EPOCH_ROWS = 12
"""Rows of the epoch table unless all are asked for."""

_SERIES = (
    ("validation.accuracy.all", "val All", True),
    ("test.fdr", "FDR", False),
    ("train.fdr", "FDR train", False),
    ("bn.scale.mean", "BN scale", False),
    ("test.cosine.inter", "cos inter", False),
    ("lr", "lr", False),
)
_DETAILS = (
    ("loss", "loss", 4),
    ("fdr", "FDR", 3),
    ("cosine.intra", "cos intra", 3),
    ("cosine.inter", "cos inter", 3),
    ("feature_norm.spearman", "ρ(n, ‖h‖)", 3),
)


def overview_tables(
    run: Run, *, all_epochs: bool = False, titles: Mapping[str, str] = GROUP_TITLES, how_all: str = ""
) -> list[Table]:
    """Everything about a run, as tables.

    Args:
        run: The run.
        all_epochs: Whether the table of epochs has every one, not a dozen.
        titles: What All and the groups are called.
        how_all: How the reader gets all epochs, where some are left out.

    Raises:
        StoreReadError: its configuration or its events cannot be read.
    """
    state, figures = run.state(), figures_of(run)
    tables = [_about(run, state, figures, titles)]
    if figures.values:
        tables += [_final_table(run, figures, titles), _epoch_table(run, all_epochs, titles, how_all)]
    if _error(run):
        tables.append(_error_table(run))
    return tables


def _about(run: Run, state: RunState, figures: Figures, titles: Mapping[str, str]) -> Table:
    config = run.config
    provenance, notes = _or(lambda: run.provenance, _NOTHING), _or(lambda: run.notes, Notes())
    rows = [
        ("run", run.id),
        ("state", f"{state.name}: {state.evidence}"),
        *(("damaged", problem) for problem in damages(run)),
        (
            "method",
            " ".join(_words(config, ("preset", "variant", "name"))) + f", seed {config.get('seed', 0)}",
        ),
        ("data", data_in_words(_table(config, "data"), provenance)),
        ("model", model_in_words(_table(config, "model"))),
        *_stage_rows(config),
        ("taken over", _taken_over(run, provenance)),
        ("weight decay", run_notice(run)),
        ("MaxNorm", _maxnorm(run)),
        ("evaluation", _evaluation(config)),
        ("figures of", _weights(figures)),
        *_provenance_rows(provenance),
        *_time_rows(run),
        ("tags", " ".join(notes.tags)),
        ("star", "yes" if notes.star else ""),
        ("note", notes.note),
        *(("alert", f"epoch {one.epoch}: {one.message}") for one in run.history.alerts[-5:]),
        *(("derived", text) for text in derived_lines(run, titles)),
    ]
    return pairs((name, value) for name, value in rows if value)


def _or(read: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What is read, or, where its file is damaged, something else; `damages` names the file."""
    try:
        return read()
    except StoreReadError:
        return otherwise


def damages(run: Run) -> list[str]:
    """Which small files of a run cannot be read or hold wrong values, where, and what was expected.

    Of imported predictions config.toml says what is known, so nothing can be missing from it.
    """
    reads: list[Callable[[], object]] = [lambda: run.result, lambda: run.provenance, lambda: run.notes]
    if not is_imported(run.config):
        reads.insert(0, run.run_config)
    found = []
    for read in reads:
        try:
            read()
        except StoreReadError as error:
            found.append(plain(str(error)))
    return found + damaged_derived(run)


def _table(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = config.get(key, {})
    return value if isinstance(value, Mapping) else {}


def _words(table: Mapping[str, Any], keys: tuple[str, ...]) -> list[str]:
    return [str(table[key]) for key in keys if table.get(key)]


def _stage_rows(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    stages = config.get("stages", [])
    known = [stage for stage in stages if isinstance(stage, Mapping)] if isinstance(stages, list) else []
    return [
        (f"stage {number} {stage.get('name', '')}", stage_in_words(stage))
        for number, stage in enumerate(known, 1)
    ]


def _taken_over(run: Run, provenance: Mapping[str, Any]) -> str:
    """Which epochs another run has trained; empty where none has."""
    last = run.history.taken_over
    source = _table(provenance, "taken_over").get("run", "another run")
    return f"epochs 1 to {last} as {source} has trained them" if last else ""


def _maxnorm(run: Run) -> str:
    """On how many classes MaxNorm shortened the classifier, in its first and in its last epoch; empty without it."""
    norms = run.metrics.get("classifier.norm@class")
    if norms is None or "maxnorm.active" not in run.history.tally.last:
        return ""
    first = next(epoch for epoch in run.epochs if "maxnorm.active" in epoch.scalars)
    last = next(epoch for epoch in reversed(run.epochs) if "maxnorm.active" in epoch.scalars)
    told = [
        f"on {epoch.scalars['maxnorm.active']:.0f} of {norms.width} classes in epoch {epoch.number}"
        for epoch in ((first,) if first is last else (first, last))
    ]
    return f"active {', '.join(told)}; δ {figure(last.scalars.get('maxnorm.threshold'))}"


def _evaluation(config: Mapping[str, Any]) -> str:
    evaluation = _table(config, "evaluation")
    return f"selection {evaluation.get('selection', 'last')}, TTA {evaluation.get('tta', 'none')}"


def _weights(figures: Figures) -> str:
    if not figures.values:
        return ""
    if not figures.final:
        return f"the run so far, epoch {figures.epoch}; none are final"
    words = {"last": "the last weights", "best_validation": "the weights that validation prefers"}
    return f"{words.get(figures.weights, 'its end')}, epoch {figures.epoch}"


def _provenance_rows(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    versions, identity = _table(provenance, "versions"), _table(provenance, "identity")
    code, model = _table(provenance, "code"), _table(provenance, "model")
    command = provenance.get("command", [])
    commit = str(code.get("commit", ""))[:12] + (", with changes" if code.get("modified") else "")
    return [
        ("parameters", f"{model['parameters']:,}" if type(model.get("parameters")) is int else ""),
        (
            "computed on",
            ", ".join(_words(identity, ("device", "precision", "processor"))) + _threads(identity),
        ),
        ("host", ", ".join(_words(provenance, ("host", "platform")))),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)),
        ("commit", commit if code.get("commit") else ""),
        ("command", shlex.join(str(word) for word in command) if isinstance(command, list) else ""),
    ]


def _threads(identity: Mapping[str, Any]) -> str:
    threads = identity.get("threads")
    return f", {counted(threads, 'thread')}" if type(threads) is int else ""


def _time_rows(run: Run) -> list[tuple[str, str]]:
    result, history = result_of(run), run.history
    again = history.attempt > 1
    attempts = f", attempt {history.attempt}" if again and not result else ""
    if result:
        lasted = f", took {duration(_seconds_of_attempts(run, result))}"
        attempts = lasted + (f" over {history.attempt} attempts" if again else "")
    started = moment(history.started if again or not result else result.started)
    return [
        (
            "started",
            "" if started == "-" else f"{started}{attempts}",
        ),
        (
            "size",
            size(size_on_disk(run.path))
            + (f", {counted(run.bad_lines, 'bad line')}" if run.bad_lines else ""),
        ),
    ]


def _seconds_of_attempts(run: Run, last: Result) -> float:
    """How long all attempts took together, what lies between them left out; the events tell where a result is lost."""
    seconds = last.seconds
    for attempt in range(1, run.history.attempt):
        try:
            result = read_result(run.path, f"{ATTEMPTS}/{attempt}/{RESULT}")
        except StoreReadError:
            result = None
        seconds += result.seconds if result else run.history.work.get(attempt, 0.0)
    return seconds


def derived_lines(run: Run, titles: Mapping[str, str] = GROUP_TITLES) -> list[str]:
    """One line for each saved adjustment of a run."""
    return [describe(one, titles) for one in load_derived(run)]


def _final_table(run: Run, figures: Figures, titles: Mapping[str, str]) -> Table:
    """Accuracy and geometry, a row a split."""
    values = figures.values
    splits = [split for split in SPLITS if has_split(values, split)]
    details = [part for part in _DETAILS if any(f"{split}.{part[0]}" in values for split in splits)]
    columns = [Column("split", "split", right=False)]
    columns += [Column(key, title, drop=0 if key == "all" else 1) for key, title in titles.items()]
    columns += [Column(key, title, drop=index + 2) for index, (key, title, _) in enumerate(details)]
    rows = []
    for split in splits:
        cells = [text_cell(split)]
        cells += [percent_cell(figures.accuracy(split, group)) for group in titles]
        cells += [figure_cell(values.get(f"{split}.{key}"), digits) for key, _, digits in details]
        rows.append(tuple(cells))
    flagged = [split for split in splits if values.get(f"{split}.fdr.flagged") == 1.0]
    notes = [_flag(run, split, values.get(f"{split}.fdr.rank")) for split in flagged]
    title = (
        "Final, accuracy in %" if figures.final else f"Measured up to epoch {figures.epoch}, accuracy in %"
    )
    return Table(tuple(columns), tuple(rows), title, tuple(notes))


def _flag(run: Run, split: str, rank: float | None) -> str:
    """Why the FDR of a split is flagged: few images, which makes it mean little, or features that are dead."""
    size = _or(lambda: run.run_config().model.feature_size, 0)
    images = _table(_table(_or(lambda: run.provenance, _NOTHING), "data"), "images").get(split)
    few = type(images) is int and images < size
    seen = f"the {rank:.0f} dimensions" if rank is not None else "the dimensions"
    why = f"; of {images} images in {size} dimensions it means little" if few else ""
    return f"FDR on {split} is over {seen} in which features vary within a class{why}"


def _epoch_table(run: Run, all_epochs: bool, titles: Mapping[str, str], how_all: str) -> Table:
    epochs = run.epochs
    shown = epochs
    if not all_epochs and len(epochs) > _EPOCH_ROWS:
        step = (len(epochs) - 1) / (_EPOCH_ROWS - 1)
        shown = tuple(epochs[round(index * step)] for index in range(_EPOCH_ROWS))
    groups = [(f"test.accuracy.{key}", title, True) for key, title in titles.items()]
    wanted = [("running.loss", "loss", False), *groups, *_SERIES]
    series = [one for one in wanted if one[0] in run.history.tally.last]
    columns = [Column("epoch", "epoch"), Column("stage", "stage", drop=9)]
    columns += [
        Column(name, title, drop=0 if name == "test.accuracy.all" else index + 1)
        for index, (name, title, _) in enumerate(series)
    ]
    rows = []
    for epoch in shown:
        cells: list[Cell] = [count_cell(epoch.number), count_cell(epoch.stage + 1)]
        for name, _, is_accuracy in series:
            value = epoch.scalars.get(name)
            cells.append(percent_cell(value) if is_accuracy else figure_cell(value, 3))
        rows.append(tuple(cells))
    some = "" if len(shown) == len(epochs) else f", {len(shown)} of {len(epochs)} epochs{how_all}"
    return Table(tuple(columns), tuple(rows), f"By epoch{some}")


def _error(run: Run) -> str:
    result, end = result_of(run), run.history.end
    return (result.error if result else "") or (end.error if end else "")


def _error_table(run: Run) -> Table:
    lines = tuple((text_cell(line),) for line in plain(_error(run), lines=True).expandtabs().splitlines())
    return Table((Column("line", "", right=False),), lines, "What went wrong")


def overview_json(run: Run) -> dict[str, Any]:
    """The same for machines: accuracies are fractions, every epoch and every scalar is there."""
    state, figures, result = run.state(), figures_of(run), result_of(run)
    notes = _or(lambda: run.notes, Notes())
    return {
        "id": run.id,
        "path": str(run.path),
        "state": {"name": state.name, "evidence": state.evidence},
        "config": dict(run.config),
        "provenance": dict(_or(lambda: run.provenance, _NOTHING)),
        "notes": {"note": notes.note, "tags": list(notes.tags), "star": notes.star},
        "result": vars(result) if result else None,
        "figures": {
            "final": figures.final,
            "epoch": figures.epoch,
            "weights": figures.weights,
            "values": dict(figures.values),
        },
        "metrics": [vars(metric) for metric in run.metrics.values()],
        "epochs": [
            {"epoch": epoch.number, "stage": epoch.stage, "time": epoch.time, "scalars": dict(epoch.scalars)}
            for epoch in run.epochs
        ],
        "derived": {name: dict(value) for name, value in run.derived().items()},
        "bad_lines": run.bad_lines,
        "damaged": damages(run),
    }
