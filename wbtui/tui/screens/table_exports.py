"""Into which form does a person want the tables of this screen, on the clipboard or in a file?"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from wbtui.report.markup import to_csv, to_latex, to_markdown
from wbtui.report.table import Table
from wbtui.tui.screens.dialogs import Choose
from wbtui.tui.screens.exports import ask_for_file

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp


def ask_to_copy(app: "WbtuiApp", table: Table, machine: Table | None = None) -> None:
    """Ask for the form, then copy.

    Args:
        app: The application.
        table: What is copied.
        machine: What of it a machine reads, as CSV; None: the same.
    """
    forms: dict[str, Callable[[], str]] = {
        "markdown": lambda: to_markdown(table),
        "latex": lambda: to_latex(table),
        "csv": lambda: to_csv(machine or table),
    }

    def chosen(form: str | None) -> None:
        if form is not None:
            app.copy(forms[form]())

    options = [("markdown", "table as Markdown"), ("latex", "table as LaTeX"), ("csv", "table as CSV")]
    app.push_screen(Choose("Copy", options), chosen)


def ask_to_write(
    app: "WbtuiApp", tables: Sequence[Table], name: str, machine: Sequence[Table] | None = None
) -> None:
    """Ask for the form and the file, then write.

    Args:
        app: The application.
        tables: What is written, an empty line between them.
        name: Of the file, before its date.
        machine: What of it a machine reads, as CSV; None: the same.
    """
    ask_for_file(
        app,
        {
            "csv": ("tables as CSV", lambda: "\n\n".join(to_csv(table) for table in machine or tables)),
            "md": ("tables as Markdown", lambda: "\n\n".join(to_markdown(table) for table in tables)),
            "tex": ("tables as LaTeX", lambda: "\n\n".join(to_latex(table) for table in tables)),
            "svg": ("this screen as SVG", app.export_screenshot),
        },
        name,
    )
