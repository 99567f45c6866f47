"""Every theme, 256 and 16 colours, none, ASCII, no mouse, every size: what can be read there?"""

import ast
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dashboard_helpers import drive, make_run, opened, said, settled
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import Color, ColorTriplet
from rich.segment import Segment
from rich.style import Style

import wbtui.tui
from wbtui.launch.environment import child_environment
from wbtui.plotting import OKABE_ITO
from wbtui.tui.app import WbtuiApp
from wbtui.tui.contrast import FAINT, GRAPHICS, TEXT, Grey, between, contrast, legible, readable
from wbtui.tui.depth import _GROUNDS, _INDEXED, _STANDARD, rounded
from wbtui.tui.ink import ascii_text, least
from wbtui.tui.preferences import draws_ascii, load_preferences
from wbtui.tui.views import Views, load_views, save_views

BLACK, WHITE = ColorTriplet(0, 0, 0), ColorTriplet(255, 255, 255)
TRIPLETS = st.builds(ColorTriplet, *[st.integers(0, 255)] * 3)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run in each state that has a colour of its own."""
    folder = tmp_path / "runs"
    outcomes = ("finished", "failed", "stopped", None, "finished", "finished")
    for number, outcome in enumerate(outcomes):
        make_run(
            folder,
            number,
            seed=number,
            outcome=outcome,
            error="ValueError: loss is NaN\n",
            accuracy=0.1 * number,
        )
    return folder


def segments(app: WbtuiApp) -> Iterator[Segment]:
    """What stands on the screen, piece by piece; heatmaps, whose colours are data, scrollbars and blanks left out."""
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            if segment.style is not None and segment.text.strip(
                " ▁▂▃▄▅▆▇█" if segment.style.reverse else " ▀▄█"
            ):
                yield segment


def triplet(colour: Color | None) -> ColorTriplet | None:
    return None if colour is None else colour.triplet


def unreadable(app: WbtuiApp, colours: int = 0, slack: float = 0.01) -> list[str]:
    """Pieces of the screen with too little contrast, on a terminal of so many colours; 0: of all."""
    found = set()
    for segment in segments(app):
        style = segment.style
        assert style is not None
        need = least(segment.text)
        if style.bgcolor is not None and triplet(style.color) and triplet(style.bgcolor):
            had = contrast(*(triplet(one) for one in (style.color, style.bgcolor)))
            faint = not any(map(str.isalnum, segment.text)) and style.dim is False
            need = FAINT if faint else need  # what was dim
            if colours:
                need = min(need, had)
                style = rounded(style, colours)
                palette = _STANDARD if colours == 16 else _INDEXED
                had = contrast(palette[style.color.number], palette[style.bgcolor.number])
            if had < need - slack:
                found.add(f"{segment.text.strip()[:20]!r} {style} has {had:.2f}")
    return sorted(found)


# ---------------------------------------------------------------------- colours, by themselves


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(ColorTriplet(0x76, 0x76, 0x76), WHITE) == pytest.approx(4.54, abs=0.005)
    assert contrast(ColorTriplet(255, 0, 0), WHITE) == pytest.approx(4.00, abs=0.005)
    assert contrast(WHITE, WHITE) == 1


@settings(deadline=None)
@given(colour=TRIPLETS, ground=TRIPLETS, wanted=st.sampled_from((FAINT, GRAPHICS, TEXT)))
def test_a_colour_becomes_legible_on_any_ground_and_stays_where_it_is(
    colour: ColorTriplet, ground: ColorTriplet, wanted: float
) -> None:
    found = legible(colour, ground, wanted)
    assert contrast(found, ground) >= wanted  # black or white has at least 4.58 on every ground
    if contrast(colour, ground) >= wanted:
        assert found == colour


@settings(deadline=None)
@given(colour=TRIPLETS)
def test_on_a_ground_that_nobody_knows_a_colour_is_legible_on_black_and_on_white(
    colour: ColorTriplet,
) -> None:
    found = between(colour)
    assert min(contrast(found, BLACK), contrast(found, WHITE)) > 4.3


@settings(deadline=None)
@given(colour=TRIPLETS, ground=TRIPLETS)
def test_greys_keep_the_contrast_of_colours(colour: ColorTriplet, ground: ColorTriplet) -> None:
    style = Style.from_color(Color.from_triplet(colour), Color.from_triplet(ground))
    (grey,) = Grey().apply([Segment("x", style)], None)  # type: ignore[arg-type]
    assert grey.style is not None
    grey_colour, grey_ground = triplet(grey.style.color), triplet(grey.style.bgcolor)
    assert grey_colour is not None
    assert grey_ground is not None
    assert len(set(grey_colour)) == len(set(grey_ground)) == 1
    assert contrast(grey_colour, grey_ground) == pytest.approx(contrast(colour, ground), rel=0.06)


@settings(deadline=None)
@given(colour=TRIPLETS, ground=TRIPLETS, colours=st.sampled_from((16, 256)))
def test_rounded_colours_keep_their_contrast_up_to_that_of_text(
    colour: ColorTriplet, ground: ColorTriplet, colours: int
) -> None:
    palette, grounds = (_STANDARD, _GROUNDS) if colours == 16 else (_INDEXED, _INDEXED)
    style = rounded(Style.from_color(Color.from_triplet(colour), Color.from_triplet(ground)), colours)
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.bgcolor.number in grounds
    found = contrast(palette[style.color.number or 0], palette[style.bgcolor.number or 0])
    most = max(contrast(one, palette[style.bgcolor.number or 0]) for one in palette.values())
    assert found >= min(contrast(colour, ground), TEXT, most) - 1e-9


def test_what_the_terminal_decides_about_stays_its_own() -> None:
    for style in ("default on default", "red on blue", "bold", "reverse default on red"):
        assert readable(Style.parse(style), TEXT) == Style.parse(style)
        assert rounded(Style.parse(style), 256) == Style.parse(style)
    ours = readable(Style.parse("#0072b2 on default"), TEXT)
    assert ours.bgcolor is not None
    assert ours.bgcolor.is_default


def test_the_colours_of_curves_differ_on_every_theme() -> None:
    app = WbtuiApp(Path("runs"))
    for theme in app.available_themes.values():
        if not theme.ansi:
            ground = Color.parse(theme.to_color_system().generate()["background"]).get_truecolor()
            shown = [
                legible(Color.parse(f"#{one:06x}").triplet, ground, GRAPHICS) for one in OKABE_ITO if one >= 0
            ]
            assert len(set(shown)) == len(shown)
            assert all(contrast(one, ground) >= GRAPHICS for one in shown)


# ---------------------------------------------------------------------- the screen, in every theme


@pytest.mark.usefixtures("_with_colour")
def test_everything_is_readable_in_every_theme_and_with_256_colours(runs: Path) -> None:
    async def look() -> None:
        async with opened(runs) as (app, pilot):
            await pilot.press("p", "down", "space", "down", "p", "down", "b", "plus")
            await settled(app, pilot)
            app.clear_notifications()  # their edges are Textual's
            for name, theme in app.available_themes.items():
                app.theme = name
                await pilot.pause(0.1)
                assert len(list(segments(app))) > 100
                if theme.ansi:
                    ours = {one.style.color.triplet for one in segments(app) if triplet(one.style.color)}
                    assert ours
                    assert all(min(contrast(one, BLACK), contrast(one, WHITE)) > 4.3 for one in ours)
                    assert all(one.style.bgcolor.triplet is None for one in segments(app))
                else:
                    assert not unreadable(app), name
                    assert not unreadable(app, 256), name
                    assert not unreadable(app, 16), name

    drive(look)


@pytest.mark.usefixtures("_with_colour")
def test_pages_and_dialogs_are_readable_in_light_and_dark(runs: Path) -> None:
    async def look() -> None:
        for theme in ("wbtui", "textual-light", "solarized-light", "nord"):
            async with opened(runs) as (app, pilot):
                app.theme = theme
                app.clear_notifications()
                for keys in (("down", "enter"), ("right_square_bracket",), ("right_square_bracket",)):
                    await pilot.press(*keys)
                    await settled(app, pilot)
                    await pilot.pause(0.1)
                    assert not unreadable(app), (theme, keys)

    drive(look)


@pytest.mark.parametrize("theme", ["wbtui", "textual-light", "ansi-dark", "ansi-light"])
def test_without_colour_everything_is_readable_too(
    runs: Path, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def look() -> None:
        async with opened(runs) as (app, pilot):
            app.theme = theme
            await pilot.press("p", "down", "p")
            await settled(app, pilot)
            app.clear_notifications()
            await pilot.pause(0.1)
            for segment in segments(app):
                for colour in (triplet(segment.style.color), triplet(segment.style.bgcolor)):
                    assert colour is None or len(set(colour)) == 1, segment
            if theme.startswith("ansi-"):  # the terminal's own, never black on black
                assert all(
                    one.style.color.is_default and one.style.bgcolor.is_default for one in segments(app)
                )
                pinned = [
                    line for line in app.screen._compositor.render_strips() if line.text.startswith("◉")
                ]
                assert [all(one.style.reverse for one in line) for line in pinned].count(
                    True
                ) == 1  # the cursor
            else:
                assert not unreadable(app, slack=0.05)  # 256 greys are not all luminances

    drive(look)


# ---------------------------------------------------------------------- ASCII


def test_all_that_screens_write_has_a_letter_in_ascii() -> None:
    drawn = set("▁▔▀▄█┊")  # parts of pictures, chosen by their set of glyphs
    for path in Path(wbtui.tui.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docs = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                for character in set(node.value) - drawn:
                    assert character.isascii() or ascii_text(character) != "?", (path.name, character)
    assert ascii_text("τ = 1 ━ γ̄") == "t = 1 = g"


@pytest.mark.parametrize(
    ("environment", "ascii_alone"),
    [
        ({"TERM": "linux"}, True),
        ({"TERM": "vt220"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "tmux-256color"}, False),
        ({"TERM": "screen"}, False),
        ({}, False),
        ({"TERM": "linux", "TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"}, False),
    ],
)
def test_terminals_without_unicode_are_known_by_their_name(
    environment: dict[str, str], ascii_alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("locale.getpreferredencoding", lambda do_setlocale=True: "UTF-8")
    assert draws_ascii(environment) is ascii_alone
    monkeypatch.setattr("locale.getpreferredencoding", lambda do_setlocale=True: "ISO-8859-1")
    assert draws_ascii(environment) is ("TEXTUAL_DRIVER" not in environment)


# ---------------------------------------------------------------------- a real terminal


def bytes_of(runs: Path, home: Path, term: str, *options: str) -> bytes:
    """What the dashboard sends to a terminal until a run is on it and `q` has closed it."""
    environment = child_environment() | {"TERM": term, "XDG_CONFIG_HOME": str(home), "HOME": str(home)}
    for name in ("COLORTERM", "NO_COLOR", "TEXTUAL_DRIVER"):
        environment.pop(name, None)
    pid, master = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "wbtui", "--runs", str(runs), *options], environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 110, 0, 0))
    os.kill(pid, signal.SIGWINCH)
    data, asked, deadline = b"", False, time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline, data[-2000:]
        if select.select([master], [], [], 0.1)[0]:
            try:
                data += os.read(master, 65536)
            except OSError:  # Linux: the other end is closed
                break
        if not asked and b"finished" in data and b"Loss" in data:
            asked = True
            os.write(master, b"q")
    os.close(master)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return data


def test_the_linux_console_gets_ascii_and_16_colours(runs: Path, tmp_path: Path) -> None:
    data = bytes_of(runs, tmp_path, "linux")
    assert data.isascii()
    assert not re.search(rb"[34]8;[25];", data)
    assert not bytes_of(runs, tmp_path, "linux", "--no-ascii").isascii()


@pytest.mark.parametrize("term", ["xterm-256color", "tmux-256color", "screen-256color"])
def test_a_terminal_of_256_colours_gets_no_others(runs: Path, tmp_path: Path, term: str) -> None:
    data = bytes_of(runs, tmp_path, term)
    assert b"38;5;" in data
    assert b"8;2;" not in data
    assert not data.isascii()


def test_the_mouse_is_left_alone_where_it_is_not_wanted(runs: Path, tmp_path: Path) -> None:
    takes = b"\x1b[?1000h"
    assert takes in bytes_of(runs, tmp_path, "xterm-256color")
    assert takes not in bytes_of(runs, tmp_path, "xterm-256color", "--no-mouse")
    (tmp_path / "wbtui").mkdir()
    (tmp_path / "wbtui" / "dashboard.toml").write_text("mouse = false\nascii = true\n")
    data = bytes_of(runs, tmp_path, "xterm-256color")
    assert takes not in data
    assert data.isascii()
    assert takes in bytes_of(runs, tmp_path, "xterm-256color", "--mouse")


# ---------------------------------------------------------------------- the user's file


def test_the_file_chooses_the_theme(runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "dashboard.toml"
    monkeypatch.setattr("wbtui.tui.app.keymap_file", lambda: file)

    async def look() -> None:
        file.write_text('theme = "nord"\n[keys]\n"runs.filter" = "ctrl+f"\n')
        async with opened(runs) as (app, _):
            assert app.theme == "nord"
            assert "theme" not in said(app)
            assert "setting" not in said(app)
        file.write_text('theme = "nrod"\nmouse = "no"\nmuose = false\n')
        async with opened(runs) as (app, _):
            assert app.theme == "wbtui"
            assert "no theme is called 'nrod'" in said(app)
            assert "'nord'" in said(app) or "nord" in said(app)
            assert "mouse = 'no': expected true or false" in said(app)
            assert "'muose' is no setting" in said(app)

    drive(look)


def test_a_theme_that_was_chosen_is_kept_with_the_view_unless_the_file_names_one(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "dashboard.toml"
    monkeypatch.setattr("wbtui.tui.app.keymap_file", lambda: file)

    async def look(begins: str, chosen: str) -> None:
        async with opened(runs) as (app, pilot):
            assert app.theme == begins
            app.theme = chosen
            await pilot.pause()

    drive(lambda: look("wbtui", "nord"))
    drive(lambda: look("nord", "dracula"))
    file.write_text('theme = "gruvbox"\n')
    drive(lambda: look("gruvbox", "monokai"))
    file.unlink()
    assert load_views(runs / "views.json")[0].theme == "dracula"
    save_views(runs / "views.json", Views(theme="of a later version"))
    drive(lambda: look("wbtui", "wbtui"))


def test_no_file_and_a_broken_one_say_nothing_of_preferences(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.toml"
    assert load_preferences(file) == load_preferences(tmp_path / "none.toml")
    file.write_text("theme = [")
    assert load_preferences(file).theme is None
