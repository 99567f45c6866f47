"""What do the pages of one run say in words? Lines of text from what the feed read. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from wbtui.report.table import Table
from wbtui.report.terminal import fitting_table, natural_widths
from wbtui.store.format import Metric
from wbtui.store.text import plain
from wbtui.tui.ink import Part, fitted
from wbtui.tui.panels import PanelSpec, YSpan, panels_of
from wbtui.tui.snapshots import Curve, RunDetail, RunFiles
from wbtui.tui.theme import BAD
from wbtui.tui.widgets.text_pane import Line

_GIB = float(2**30)
_AROUND = 2  # cells beside a table
_PERCENT = YSpan(0.0, 100.0)
_AMOUNT = YSpan(0.0)
_TEMPERATURE = YSpan(least=20.0)
_SYSTEM: tuple[tuple[str, str, float, str, YSpan], ...] = (
    ("cpu_percent", "processor of this run", 1.0, "% of a core", _PERCENT),
    ("memory_bytes", "memory of this run", _GIB, "GiB", _AMOUNT),
    ("gpu.percent", "GPU", 1.0, "%", _PERCENT),
    ("gpu.memory_bytes", "GPU memory", _GIB, "GiB", _AMOUNT),
    ("gpu.watts", "GPU power", 1.0, "W", _AMOUNT),
    ("gpu.celsius", "GPU temperature", 1.0, "°C", _TEMPERATURE),
    ("machine_cpu_percent", "processor of the machine", 1.0, "%", _PERCENT),
    ("machine_memory_bytes", "memory of the machine", _GIB, "GiB", _AMOUNT),
)


def overview_lines(files: RunFiles | None, detail: RunDetail | None, width: int) -> list[Line]:
    """What it is, how it went, what it came to; then its traceback, provenance and configuration.

    Args:
        files: What was read of its files; None: nothing yet.
        detail: What was read of its measurements.
        width: Cells of a line; columns of tables for which there is no room are named below them.
    """
    if files is None:
        return [(("reading ...", "dim"),)]
    told = {cell.text for table in files.overview for row in table.rows for cell in row}
    lines: list[Line] = [
        ((problem, BAD),) for problem in dict.fromkeys(files.problems) if problem not in told
    ]
    if detail is not None and detail.error:
        lines += [((" Traceback", f"bold {BAD}"),)]
        lines += [((f" {plain(row, lines=True).expandtabs()}", ""),) for row in detail.error.splitlines()]
        lines.append(())
    for table in files.overview:
        lines += [*table_lines(fitting_table(table, width - _AROUND)), ()]
    lines += [*_pairs("Provenance", files.provenance), ()]
    lines += _pairs("Configuration", files.config)
    return lines


def table_lines(table: Table) -> list[Line]:
    """A table as lines, columns as wide as their cells; a cell of several lines goes on below itself."""
    widths = natural_widths(table)
    lines: list[Line] = [((f" {table.title}", "bold"),)] if table.title else []
    if any(column.title for column in table.columns):
        lines.append(_row([(column.title, "dim") for column in table.columns], table, widths))
    for row in table.rows:
        styles = ["bold" if cell.best else cell.style for cell in row]
        for texts in zip_longest(*(cell.text.split("\n") for cell in row), fillvalue=""):
            lines.append(_row(list(zip(texts, styles, strict=True)), table, widths))
    lines += [((f" {note}", "dim"),) for note in table.notes]
    return lines


def _row(cells: Sequence[Part], table: Table, widths: Sequence[int]) -> Line:
    parts = [
        (" " + fitted(text, width, right=column.right) + " ", style)
        for (text, style), column, width in zip(cells, table.columns, widths, strict=True)
    ]
    return (*parts[:-1], (parts[-1][0].rstrip(), parts[-1][1]))


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> list[Line]:
    if not pairs:
        return []
    width = max(len(key) for key, _ in pairs)
    return [
        ((f" {title}", "bold"),),
        *(((f"  {key:{width}}  ", "dim"), (value.replace("\n", " "), "")) for key, value in pairs),
    ]


def log_lines(files: RunFiles | None) -> list[Line]:
    """What happened to the run, a line an event, then the last lines of output.log."""
    if files is None:
        return [((" reading ...", "dim"),)]
    lines: list[Line] = [((f" {line}", BAD if "⚠" in line else "dim"),) for line in files.events]
    if not any(files.log):
        return [*lines, ((" nothing was printed: output.log is empty or not there", "dim"),)]
    return lines + [((f" {line.expandtabs()}", ""),) for line in files.log]


def system_detail(files: RunFiles | None) -> RunDetail:
    """The samples of a run's processes and devices, as if they were metrics of epochs 1, 2, 3 ..."""
    samples = [_flat(sample) for sample in files.samples] if files else []
    times = np.array([sample.get("t", math.nan) for sample in samples])
    keep = np.flatnonzero(np.isfinite(times))
    curves, metrics = {}, {}
    numbers = np.arange(1, len(keep) + 1)
    for key, title, unit, name, _ in _SYSTEM:
        values = np.array([samples[at].get(key, math.nan) for at in keep]) / unit
        if np.isfinite(values).any():
            curves[f"system.{key}"] = Curve(numbers, values)
            metrics[f"system.{key}"] = Metric(f"system.{key}", f"{title}, {name}")
    return RunDetail(
        id=files.id if files else "",
        version=len(keep),
        metrics=metrics,
        epochs=numbers,
        seconds=times[keep] - times[keep[0]] if len(keep) else np.zeros(0),
        images=np.zeros(len(keep)),
        scalars=curves,
    )


def system_panels(detail: RunDetail) -> tuple[PanelSpec, ...]:
    """Their panels, with axes that do not zoom into noise."""
    spans = {f"system.{key}": span for key, _, _, _, span in _SYSTEM}
    return tuple(
        replace(spec, span=spans.get(spec.views[0].metrics[0])) for spec in panels_of(detail.metrics.values())
    )


def _flat(sample: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a sample, whoever wrote it."""
    gpu = sample.get("gpu")
    inner = {f"gpu.{key}": value for key, value in gpu.items()} if isinstance(gpu, dict) else {}
    return {
        key: float(value)
        for key, value in {**sample, **inner}.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    }
