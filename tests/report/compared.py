"""What comparisons are made of, and what their tables say, for their tests."""

import io
from pathlib import Path

from rich.console import Console

from wbtui.report.table import Table
from wbtui.report.terminal import renderables


def names(*folders: Path) -> list[str]:
    return [folder.name for folder in folders]


def column(table: Table, index: int) -> dict[str, str]:
    return {row[0].text: row[index].text for row in table.rows}


def on_terminal(table: Table, width: int = 80) -> list[str]:
    """The lines of a table on a terminal so wide."""
    out = io.StringIO()
    console = Console(file=out, width=width, markup=False)
    for part in renderables(table, width):
        console.print(part)
    return out.getvalue().splitlines()
