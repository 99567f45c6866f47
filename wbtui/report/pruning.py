"""What would pruning delete, and what would it leave alone, and why?"""

from wbtui.report.table import Cell, Column, Table, text_cell
from wbtui.report.values import counted, size
from wbtui.store.housekeeping import PrunePlan

_COLUMNS = (
    Column("run", "run", right=False),
    Column("file", "file", right=False),
    Column("size", "size"),
)
_SHOWN_KEPT = 10


def plan_table(plan: PrunePlan) -> Table:
    """Files that would go with their sizes; runs left alone in the notes."""
    rows = tuple(
        (text_cell(path.parent.name), text_cell(path.name), Cell(size(n), n)) for path, n in plan.files
    )
    notes = [f"left alone: {folder.name}: {why}" for folder, why in plan.kept[:_SHOWN_KEPT]]
    if len(plan.kept) > _SHOWN_KEPT:
        notes.append(f"left alone: {len(plan.kept) - _SHOWN_KEPT} more")
    title = (
        f"{counted(len(plan.files), 'file')}, {size(plan.bytes)} together"
        if plan.files
        else "nothing to delete"
    )
    return Table(_COLUMNS if rows else (), rows, title, tuple(notes))
