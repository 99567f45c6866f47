"""Do pictures survive on their way to a terminal, and does the room stay apart from screens?"""

import itertools
import re
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from rich.cells import cell_len

from wbtui.plotting import (
    BOLD,
    DIM,
    Canvas,
    ColourDepth,
    HeatmapOptions,
    LineOptions,
    Series,
    heatmap,
    line_plot,
    series_style,
    to_ansi,
    to_text,
)
from wbtui.plotting.canvas import WIDE_TAIL, Painter, single_cells
from wbtui.plotting.glyphs import GLYPHS, GlyphSet

ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


@pytest.fixture
def picture():
    x = np.arange(50.0)
    series = [Series.styled(f"run {i}", x, np.sin(x / 9 + i), series_style(i)) for i in range(3)]
    return line_plot(series, LineOptions(70, 14, title="Loss", x_label="epoch", cursor_x=20.0)).canvas


def test_runs_hold_every_cell_with_its_style(picture):
    for row, runs in enumerate(picture.rows()):
        assert "".join(run.text for run in runs) == picture.lines()[row]
        column = 0
        for run in runs:
            cells = np.s_[row, column : column + len(run.text)]
            assert (picture.foreground[cells] == run.foreground).all()
            assert (picture.background[cells] == run.background).all()
            assert (picture.attributes[cells] == run.attributes).all()
            column += len(run.text)


def test_neighbouring_runs_differ(picture):
    for runs in picture.rows():
        assert all(left[1:] != right[1:] for left, right in itertools.pairwise(runs))


@pytest.mark.parametrize("colour", ColourDepth)
def test_without_its_escapes_ansi_is_the_text(picture, colour):
    ansi = to_ansi(picture, colour=colour)
    stripped = "\n".join(line.rstrip() for line in ESCAPE.sub("", ansi).splitlines())
    assert stripped == to_text(picture)
    assert all(line.rfind("\x1b[") == line.rfind("\x1b[0m") for line in ansi.splitlines())


def test_no_colour_means_no_colour_code(picture):
    ansi = to_ansi(picture, colour=ColourDepth.NONE)
    assert {code for found in ESCAPE.findall(ansi) for code in found.split(";")} == {"0", "1", "2"}


def test_colours_are_written_in_full_or_as_the_nearest_of_256():
    canvas = Canvas(
        np.array([["a", "b"]]),
        np.array([[0x56B4E9, 0x808080]], dtype=np.int32),
        np.array([[-1, 0xFF0000]], dtype=np.int32),
        np.array([[BOLD, DIM]], dtype=np.uint8),
    )
    true = "\x1b[1;38;2;86;180;233ma\x1b[0m\x1b[2;38;2;128;128;128;48;2;255;0;0mb\x1b[0m"
    indexed = "\x1b[1;38;5;74ma\x1b[0m\x1b[2;38;5;244;48;5;196mb\x1b[0m"
    assert to_ansi(canvas) == true
    assert to_ansi(canvas, colour=ColourDepth.INDEXED) == indexed


def test_a_heatmap_reaches_the_terminal_as_backgrounds():
    assert "48;2;" in to_ansi(heatmap(np.eye(4), HeatmapOptions(4, 2)).canvas)


def test_every_glyph_takes_one_cell():
    for glyph_set, glyphs in GLYPHS.items():
        fields = [getattr(glyphs, name) for name in glyphs.__dataclass_fields__ if name != "dot_bits"]
        characters = {
            c for field in fields if not isinstance(field, bool) for text in field for c in str(text)
        }
        assert all(c.isprintable() and unicodedata.east_asian_width(c) not in "WF" for c in characters)
        assert glyph_set is not GlyphSet.ASCII or all(c.isascii() for c in characters)


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("a\tb", "a?b"),
        ("γ̄", "γ"),
        ("猫 cat", "猫\ue000 cat"),
        ("ﾈｺ ⌚", "ﾈｺ ?"),
        ("\x1b[2J", "?[2J"),
        ("a\u202eb", "a?b"),
        ("n_k ≤ 5", "n_k ≤ 5"),
    ],
)
def test_texts_become_one_character_a_cell(text, cells):
    assert single_cells(text) == cells


def test_the_room_loads_no_screen_and_no_torch():
    code = (
        "import sys, wbtui.plotting\n"
        "print(sorted({'torch', 'textual', 'rich', 'scipy', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wide_names_stand_in_two_cells_each():
    canvas = heatmap(np.eye(3), HeatmapOptions(30, 8, title="混同行列", row_names=("犬", "猫", "鳥x"))).canvas
    assert [cell_len(line) for line in canvas.lines()] == [30] * 8
    assert [cell_len("".join(run.text for run in row)) for row in canvas.rows()] == [30] * 8
    text = "\n".join(canvas.lines())
    assert all(name in text for name in ("混同行列", "犬", "猫", "鳥x"))
    assert WIDE_TAIL not in text


@pytest.mark.parametrize(
    ("column", "left"), [(0, "x 猫c"), (1, " x猫c"), (2, "犬x c"), (3, "犬 xc"), (4, "犬猫x")]
)
def test_what_is_left_of_a_wide_character_painted_over_is_a_space(column, left):
    painter = Painter(5, 1)
    painter.text(0, 0, single_cells("犬猫c"), colour=0xFF0000)
    painter.text(0, column, "x")
    canvas = painter.finish()
    assert canvas.lines() == [left]
    assert ["".join(run.text for run in row) for row in canvas.rows()] == [left]
