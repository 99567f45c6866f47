"""How does a table look in Markdown, LaTeX and CSV, with every cell escaped?"""

import csv
import io
import math
import re
from collections.abc import Callable

from wbtui.report.table import Cell, Table
from wbtui.store.text import plain

_MARKDOWN = {character: "\\" + character for character in "\\`*_{}[]<>|#~"}
_ENTITY = re.compile(r"&(?=[A-Za-z])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "±": r"$\pm$",
    "Δ": r"$\Delta$",
    "γ": r"$\gamma$",
    "τ": r"$\tau$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "\u0304": "",  # the bar of γ̄, a combining character
    "\n": " ",
}
_MINUS = re.compile(r"(?<!\S)-(?=\d)")
"""A hyphen that means minus: before a number, after nothing or white space."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    escaped = "".join(_MARKDOWN.get(character, character) for character in text).replace("\n", " ")
    return _ENTITY.sub(r"\\&", escaped)


def escape_latex(text: str) -> str:
    """Text that LaTeX shows as it is, with true minus signs."""
    return _MINUS.sub("$-$", "".join(_LATEX.get(character, character) for character in text))


def to_markdown(table: Table) -> str:
    """A table of GitHub's Markdown, the best of a column in bold, notes below."""
    lines = [f"**{escape_markdown(table.title)}**", ""] if table.title else []
    lines.append("| " + " | ".join(escape_markdown(column.title) for column in table.columns) + " |")
    lines.append("|" + "|".join("---:" if column.right else ":---" for column in table.columns) + "|")
    for row in table.rows:
        lines.append("| " + " | ".join(_marked(cell, escape_markdown, "**", "**") for cell in row) + " |")
    for note in table.notes:
        lines += ["", escape_markdown(note)]
    return "\n".join(lines)


def to_latex(table: Table) -> str:
    """A `tabular` with the rules of booktabs; title and notes as comments and a caption-sized line below."""
    columns = "".join("r" if column.right else "l" for column in table.columns)
    lines = [f"% {_comment(table.title)}"] if table.title else []
    lines += ["% needs \\usepackage{booktabs}", rf"\begin{{tabular}}{{{columns}}}", r"\toprule"]
    lines.append(" & ".join(escape_latex(column.title) for column in table.columns) + r" \\")
    lines.append(r"\midrule")
    for row in table.rows:
        lines.append(" & ".join(_marked(cell, escape_latex, r"\textbf{", "}") for cell in row) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    lines += [f"% {_comment(note)}" for note in table.notes]
    return "\n".join(lines)


def _comment(text: str) -> str:
    return text.replace("\n", " ")


def _marked(cell: Cell, escape: Callable[[str], str], before: str, after: str) -> str:
    text = escape(cell.text)
    return f"{before}{text}{after}" if cell.best else text


def to_csv(table: Table) -> str:
    """CSV with the machine values: fractions, full precision, nothing where there is no value.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.key for column in table.columns])
    writer.writerows([csv_value(cell.value) for cell in row] for row in table.rows)
    return out.getvalue().rstrip("\n")


def csv_value(value: object) -> str:
    """One value for a CSV cell."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return plain(f"'{value}" if value.startswith(_FORMULA) else value)
    return repr(float(value)) if isinstance(value, float) else str(value)
