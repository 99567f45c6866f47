"""Tables: for people, narrow terminals, Markdown, LaTeX and CSV, with nothing in a cell taken for markup."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from wbtui.report import values
from wbtui.report.markup import escape_latex, escape_markdown, to_csv, to_latex, to_markdown
from wbtui.report.table import Cell, Column, Table, pairs, percent_cell, text_cell, without_empty
from wbtui.report.terminal import fitting_columns, plain_lines, renderables

NAN = float("nan")
TABLE = Table(
    (Column("name", "name", right=False), Column("all", "All", drop=1), Column("few", "Few", drop=2)),
    (
        (text_cell("wd_a|b"), percent_cell(0.43125), percent_cell(NAN)),
        (text_cell("[bold]x[/]"), Cell("50.0", 0.5, best=True), percent_cell(None)),
    ),
    notes=("100 % sure",),
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (values.percent(0.43125), "43.1"),
        (values.percent(0.0), "0.0"),
        (values.percent(NAN), "-"),
        (values.percent(None), "-"),
        (values.points(0.0123), "+1.2"),
        (values.points(-0.0123), "-1.2"),
        (values.points(-1e-17), "0.0"),
        (values.points(0.5), "+50.0"),
        (values.points(NAN), "-"),
        (values.points(None), "-"),
        (values.signed(0.0), "0"),
        (values.figure(78.04), "78.0"),
        (values.figure(341.4), "341"),
        (values.figure(999.4), "999"),
        (values.figure(999.5), "1,000"),
        (values.figure(-12345.6), "-12,346"),
        (values.figure(123.4, 2), "123"),
        (values.figure(2e7), "2.00e+07"),
        (values.figure(0.0001234), "0.000123"),
        (values.figure(0.0), "0"),
        (values.figure(float("inf")), "inf"),
        (values.figure(-float("inf")), "-inf"),
        (values.figure(NAN), "-"),
        (values.figure(None), "-"),
        (values.signed(3.0), "+3.00"),
        (values.signed(-3.0), "-3.00"),
        (values.signed(NAN), "-"),
        (values.plus_minus("43.1", "0.4"), "43.1 ± 0.4"),
        (values.plus_minus("43.1", "-"), "43.1"),
        (values.plus_minus("116", "0.991"), "116 ± 1"),
        (values.plus_minus("309", "41.9"), "309 ± 42"),
        (values.plus_minus("1.02", "0.00402"), "1.02 ± 0.004"),
        (values.plus_minus("0.400", "0.0512"), "0.400 ± 0.051"),
        (values.plus_minus("12,346", "1,234"), "12,346 ± 1,234"),
        (values.plus_minus("99.8", "0.0"), "99.8 ± 0.0"),
        (values.plus_minus("99.8", "n/a"), "99.8 ± n/a"),
        (values.plus_minus("6.17e-06", "1.2e-07"), "6.17e-06 ± 1.2e-07"),
        (values.plus_minus("6.17e-06", "0.0123"), "6.17e-06 ± 0.0123"),
        (values.plus_minus("0.800", "1.36e-16"), "0.800 ± 0"),
        (values.plus_minus("-1,234", "1.1e-11"), "-1,234 ± 0"),
        (values.plus_minus("0.800", "1.36e-11"), "0.800 ± 1.36e-11"),
        (values.duration(4.21), "4.2 s"),
        (values.duration(65), "1:05"),
        (values.duration(3725), "1:02:05"),
        (values.duration(NAN), "-"),
        (values.size(999), "999B"),
        (values.size(1536), "1.5K"),
        (values.size(5 << 30), "5.0G"),
        (values.moment(0), "-"),
        (values.moment(1e300), "-"),
    ],
)
def test_numbers_for_people(written: str, expected: str) -> None:
    assert written == expected


def test_json_has_null_for_nan_and_no_character_that_a_terminal_obeys() -> None:
    text = values.json_text({"a": NAN, "b": float("inf"), "c": "\x1b[31m\u202e"})
    assert '"a": null' in text
    assert '"b": "inf"' in text
    assert text.isascii()
    assert "\x1b" not in text


def shown(table: Table, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), markup=False, highlight=False, emoji=False)
    with console.capture() as captured:
        for part in renderables(table, width):
            console.print(part)
    return captured.get()


def test_a_table_shows_text_literally_and_dashes_for_what_is_missing() -> None:
    text = shown(TABLE, 80)
    assert "[bold]x[/]" in text
    assert "wd_a|b" in text
    assert text.splitlines()[1].split() == ["wd_a|b", "43.1", "-"]


def test_in_a_pipe_columns_are_whole_aligned_and_without_trailing_spaces() -> None:
    table = Table(
        (Column("a", "a", right=False), Column("b", "b")),
        (
            (text_cell("x" * 300), text_cell("1")),
            (text_cell("日本"), text_cell("22")),
            (text_cell(""), text_cell("")),
        ),
        notes=("note",),
    )
    lines = plain_lines(table)
    assert lines[1] == "x" * 300 + "   1"
    assert lines[2] == "日本" + " " * 296 + "  22"
    assert lines[0].rstrip() == lines[0]
    assert lines[-2:] == ["", "note"]


def test_text_of_several_lines_stays_in_its_column() -> None:
    table = pairs([("note", "one\n\ttwo\x1b[0m"), ("next", "three")])
    assert plain_lines(table) == ["note  one", "              two<U+001B>[0m", "next  three"]
    assert "<U+001B>" in shown(table, 40)


def test_on_a_narrow_terminal_the_least_important_columns_go_first_and_are_named() -> None:
    assert fitting_columns(TABLE, 80) == [0, 1, 2]
    assert fitting_columns(TABLE, 18) == [0, 1]
    assert fitting_columns(TABLE, 10) == [0]
    assert fitting_columns(TABLE, 1) == [0]
    assert "no room for: Few" in shown(TABLE, 18)
    assert all(len(line) <= 18 for line in shown(TABLE, 18).splitlines())


def test_columns_without_text_can_be_left_out() -> None:
    empty = Table((Column("a", "a"), Column("b", "b")), ((text_cell(""), text_cell("x")),))
    assert [column.key for column in without_empty(empty, ("a", "b")).columns] == ["b"]


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 cells in a table of 1"):
        Table((Column("a", "a"),), ((text_cell("x"), text_cell("y")),))


def test_markdown_has_aligned_columns_bold_best_and_escaped_cells() -> None:
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "| name | All | Few |"
    assert lines[1] == "|:---|---:|---:|"
    assert lines[2] == r"| wd\_a\|b | 43.1 | - |"
    assert lines[3] == r"| \[bold\]x\[/\] | **50.0** | - |"
    assert lines[-1] == "100 % sure"


def test_latex_is_a_tabular_with_escaped_cells() -> None:
    text = to_latex(TABLE)
    assert r"\begin{tabular}{lrr}" in text
    assert r"wd\_a\textbar{}b & 43.1 & - \\" in text
    assert r"\textbf{50.0}" in text
    assert text.splitlines()[-1] == "% 100 % sure"


def test_latex_has_minus_signs_and_keeps_hyphens() -> None:
    written = escape_latex("-17.3 *  wd-s0 6.1e-06 75.2 -0.7 -")
    assert written == "$-$17.3 *  wd-s0 6.1e-06 75.2 $-$0.7 -"


def test_csv_holds_fractions_and_nothing_for_what_is_missing() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows == [["name", "all", "few"], ["wd_a|b", "0.43125", ""], ["[bold]x[/]", "0.5", ""]]


def test_csv_text_is_never_a_formula() -> None:
    table = Table((Column("a", "a"),), ((text_cell("=1+1"),), (Cell("-1", -1.5),)))
    assert to_csv(table).splitlines() == ["a", "'=1+1", "-1.5"]


@given(st.text())
def test_escaped_latex_has_no_bare_special_character(text: str) -> None:
    left = escape_latex(text)
    for macro in ("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar"):
        left = left.replace("\\" + macro + "{}", "")
    left = left.replace("\\textquotedbl{}", "")
    for known in ("$-$", r"$\pm$", r"$\Delta$", r"$\gamma$", r"$\tau$", r"$\uparrow$", r"$\downarrow$"):
        left = left.replace(known, "")
    for escaped in ("&", "%", "$", "#", "_", "{", "}"):
        left = left.replace("\\" + escaped, "")
    assert not set(left) & set("\\&%$#_{}~^\n")


@given(st.text(alphabet="ab|*_`<[&\\\n"))
def test_escaped_markdown_stays_in_its_cell(text: str) -> None:
    left = escape_markdown(text)
    assert "\n" not in left
    assert not re.search("(?<!\\\\)&[ab]", left)
    while "\\" in left:
        at = left.index("\\")
        left = left[:at] + left[at + 2 :]
    assert not set(left) & set("|*_`<[")
