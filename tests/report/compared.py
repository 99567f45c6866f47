"""What comparisons are made of, and what their tables say, for their tests."""

from pathlib import Path

from wbtui.report.table import Table


def names(*folders: Path) -> list[str]:
    return [folder.name for folder in folders]


def column(table: Table, index: int) -> dict[str, str]:
    return {row[0].text: row[index].text for row in table.rows}
