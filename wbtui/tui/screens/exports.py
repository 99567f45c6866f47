"""Into which file does a person want the table, the run or the picture?"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wbtui.report.listing import listing_json, listing_table
from wbtui.report.values import json_text
from wbtui.store.errors import StoreWriteError
from wbtui.store.summary import RunSummary
from wbtui.tui.screens.dialogs import Choose, Prompt

if TYPE_CHECKING:
    from wbtui.tui.app import WbtuiApp


def ask_to_write_table(app: "WbtuiApp", rows: Sequence[RunSummary]) -> None:
    """Ask for the form and the file, then write."""
    known = [row.id for row in app.snapshot.rows]
    ask_for_file(
        app,
        {
            "csv": ("table as CSV", lambda: _markup("to_csv", rows, known)),
            "json": ("table as JSON", lambda: json_text(listing_json(rows))),
            "md": ("table as Markdown", lambda: _markup("to_markdown", rows, known)),
            "tex": ("table as LaTeX", lambda: _markup("to_latex", rows, known)),
            "svg": ("this screen as SVG", app.export_screenshot),
        },
        "runs",
    )


def ask_to_write_run(app: "WbtuiApp", row: RunSummary) -> None:
    """Ask for the form and the file, then write."""
    ask_for_file(
        app,
        {
            "json": ("the run's row as JSON", lambda: json_text(listing_json([row]))),
            "svg": ("this screen as SVG", app.export_screenshot),
        },
        app.short(row.id),
    )


def _markup(form: str, rows: Sequence[RunSummary], known: Sequence[str]) -> str:
    from wbtui.report import markup

    write: Callable[..., str] = getattr(markup, form)
    return write(listing_table(rows, known))


def ask_for_file(app: "WbtuiApp", forms: Mapping[str, tuple[str, Callable[[], str]]], name: str) -> None:
    """Ask in which of some forms and into which file, then write; not with --readonly, which may serve strangers.

    Args:
        app: The application.
        forms: Suffix of the file → what the form is called, and what makes the text.
        name: Of the file, before its date.
    """
    if app.refuses_writing():
        return

    def chosen(form: str | None) -> None:
        if form is None:
            return
        text = forms[form][1]()  # as things stand now, not after the question
        default = str(Path.cwd() / f"wbtui-{name}-{time.strftime('%Y%m%d-%H%M%S')}.{form}")

        def answered(path: str | None) -> None:
            if path:
                from wbtui.data.source_images import path_of

                app.run_worker(lambda: _write(app, path_of(path), text), thread=True, group="commands")

        app.push_screen(Prompt("Write to", default, "An existing file is not touched."), answered)

    app.push_screen(Choose("Write", [(key, label) for key, (label, _) in forms.items()]), chosen)


def _write(app: "WbtuiApp", path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")
    except (OSError, ValueError, StoreWriteError) as error:
        app.say_from_thread(f"{path}: not written: {getattr(error, 'strerror', None) or error}", "error")
    else:
        app.say_from_thread(f"written: {path}")
