"""How do tables leave on stdout in the form that was asked for?"""

from collections.abc import Sequence
from typing import Literal

from wbtui.report.markup import escape_latex, escape_markdown, to_csv, to_latex, to_markdown
from wbtui.report.table import Table
from wbtui.report.terminal import say, show, write_utf8

Form = Literal["table", "markdown", "latex", "csv"]


def print_tables(tables: Sequence[Table], form: Form, warnings: Sequence[str] = ()) -> None:
    """Print tables, an empty line between them.

    Args:
        tables: what to print; a table without rows prints its notes alone.
        form: how.
        warnings: what must be read first: above the tables, for CSV on stderr.
    """
    if form == "table":
        show(*warnings, *(_or_notes(table) for table in tables))
        return
    write_utf8()
    if form == "csv":
        for warning in warnings:
            say(warning)
        print("\n\n".join(to_csv(table) for table in tables))
        return
    if form == "markdown":
        parts = [f"**{escape_markdown(warning)}**" for warning in warnings]
        parts += [to_markdown(table) if table.rows else escape_markdown(_said(table)) for table in tables]
    else:
        parts = [rf"\textbf{{{escape_latex(warning)}}}" for warning in warnings]
        parts += [to_latex(table) if table.rows else f"% {_said(table)}" for table in tables]
    print("\n\n".join(parts))


def _said(table: Table) -> str:
    return "; ".join(table.notes)


def _or_notes(table: Table) -> "Table | str":
    return table if table.rows else _said(table)
