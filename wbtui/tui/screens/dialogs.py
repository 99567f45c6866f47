"""How does a screen ask something or show a page of text?"""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from wbtui.errors import UsageError
from wbtui.store.text import plain
from wbtui.tui.ink import abridged, ascii_text
from wbtui.tui.keymap import display
from wbtui.tui.presence import is_open
from wbtui.tui.screens.closing import Answer, ClosesOnce
from wbtui.tui.widgets.line_input import LineInput

_AGAIN_SECONDS = 0.5

_CSS = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > Vertical {{
    width: {width}; max-width: 95%; height: auto; max-height: 90%;
    background: $surface; border: round $primary; padding: 0 1;
}}
{name} .title {{ text-style: bold; height: auto; link-style: not bold dim; link-color: $text; }}
{name} .hint {{ color: $text-muted; height: auto; }}
{name} .keys {{ color: $text-muted; height: auto; dock: bottom; link-style: none; link-color: $text-muted; }}
{name} .wrong {{ color: $text-error; height: auto; link-color: $text-error; }}
"""


def _button(key: str, words: str) -> Content:
    """Words that press a key when they are clicked."""
    return Content.styled(words, Style.from_meta({"@click": f"app.simulate_key({key!r})"}))


def hint(words: str, *keys: str) -> Content:
    """Keys, by Textual's names, and what they do; a click presses the one that is meant, on the words the first."""
    return Content(" ").join(_button(key, display(key)) for key in keys) + _button(keys[0], f" {words}")


def hints(said: Iterable[Sequence[str]], gap: int = 3) -> Content:
    """Hints side by side, each what keys do and the keys."""
    return Content(" " * gap).join(hint(*one) for one in said)


class Dialog(ModalScreen[Answer], ClosesOnce[Answer]):
    """What the small screens have in common."""

    def literal(self, text: str) -> str:
        """Text as this terminal can show it, harmless to it."""
        text = plain(text, lines=True)
        return ascii_text(text) if self.app.has_class("-ascii") else text

    def on_resize(self, event: events.Resize) -> None:
        """Leave the border, the title and the keys their rows, so that the last line of what scrolls can be reached."""
        room = event.size.height * 9 // 10 - 2 - len(self.query(".title, .keys"))
        for scrolls in self.query("OptionList, VerticalScroll"):
            scrolls.styles.max_height = max(room, 1)


class Confirm(Dialog[bool]):
    """Asks yes or no; what it is about is named in the question.

    Args:
        question: What is asked.
        detail: What speaks for an answer; asked again as long as the dialog is open, since it may change.
        yes: What `y` does.
    """

    DEFAULT_CSS = _CSS.format(name="Confirm", width=72)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,q", "answer(False)", "No"),
        Binding("enter", "say_how", "How"),
    ]

    def __init__(self, question: str, detail: Callable[[], str], *, yes: str = "do it") -> None:
        super().__init__()
        self._question, self._detail, self._yes = question, detail, yes
        self._said = detail()

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical():
            yield Static(self.literal(self._question), markup=False, classes="title")
            yield Static(self.literal(self._said), markup=False, id="detail")
            yield Static(hints([("yes", "y"), ("no", "n")]), classes="keys")

    def on_mount(self) -> None:
        """Ask for the detail again and again."""
        self.set_interval(_AGAIN_SECONDS, self._look_again)

    def _look_again(self) -> None:
        said = self._detail()
        if said != self._said:
            self._said = said
            self.query_one("#detail", Static).update(self.literal(said))

    def action_say_how(self) -> None:
        """Enter alone does nothing that cannot be undone: say which key does."""
        below = self.query_one(".keys", Static)
        answers = hint(f"to {self._yes}", "y"), hint("or esc to leave it", "n")
        below.update(Content.assemble("press ", Content(", ").join(answers)))
        below.add_class("wrong")

    def action_answer(self, answer: bool) -> None:
        """Answer."""
        self.dismiss(answer)


class Prompt(Dialog[str | None]):
    """Asks for a line of text; what is refused is said below it.

    Args:
        title: What is asked.
        value: What stands there first.
        hint: What may stand there.
        check: Raises a `UsageError` where a text cannot be; asked at every key, so it must be fast.
        ask: The same, but asked at enter, in a thread, about a text that `check` lets pass.
    """

    DEFAULT_CSS = _CSS.format(name="Prompt", width=90)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(
        self,
        title: str,
        value: str = "",
        hint: str = "",
        check: Callable[[str], object] | None = None,
        ask: Callable[[str], object] | None = None,
    ) -> None:
        super().__init__()
        self._title, self._value, self._hint, self._check, self._ask = title, value, hint, check, ask

    def compose(self) -> ComposeResult:
        """The line and what is wrong with it."""
        with Vertical():
            yield Static(self.literal(self._title), markup=False, classes="title")
            yield LineInput(self._value, entered=self._submitted, compact=True)
            yield Static(self._hint, markup=False, classes="hint")
            yield Static("", markup=False, classes="wrong")
            yield Static(hints([("ok", "enter"), ("cancel", "escape")]), classes="keys")

    def _submitted(self, value: str) -> None:
        if self._refused(value):
            return
        if self._ask is None:
            self.dismiss(value)
        else:
            self.query_one(".wrong", Static).update("looking ...")
            self._find_out(value, self._ask)

    @work(thread=True, exclusive=True)
    def _find_out(self, value: str, ask: Callable[[str], object]) -> None:
        wrong = _objection(ask, value)
        if not get_current_worker().is_cancelled:
            self.app.call_from_thread(self._found_out, value, wrong)

    def _found_out(self, value: str, wrong: str) -> None:
        if not (is_open(self) and self.is_current) or self.query_one(Input).value != value:
            return  # nobody waits for it any more, or another text stands there by now
        self.query_one(".wrong", Static).update(self.literal(abridged(wrong)))
        if not wrong:
            self.dismiss(value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._refused(event.value)

    def _refused(self, value: str) -> bool:
        wrong = _objection(self._check, value) if self._check is not None else ""
        self.query_one(".wrong", Static).update(self.literal(abridged(wrong)))
        return bool(wrong)


async def ask(app: App[None], prompt: Prompt, answered: Callable[[str | None], None]) -> None:
    """Open a prompt and come back when it takes keys: then none of those behind the one that asked is lost."""
    await app.push_screen(prompt, answered)
    prompt.set_focus(prompt.query_one(Input))


def _objection(check: Callable[[str], object], value: str) -> str:
    """What a check refuses in a text; empty: nothing."""
    try:
        check(value)
    except UsageError as error:
        return str(error)
    return ""


class Choose(Dialog[str | None]):
    """Asks for one of several."""

    DEFAULT_CSS = _CSS.format(name="Choose", width=72) + "Choose OptionList { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Cancel"),
        Binding("j", "down"),
        Binding("k", "up"),
    ]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str = "") -> None:
        super().__init__()
        self._title, self._options, self._chosen = title, options, chosen

    def compose(self) -> ComposeResult:
        """The options."""
        with Vertical():
            yield Static(self.literal(self._title), markup=False, classes="title")
            yield OptionList(
                *(Option(Text(self.literal(label)), id=key) for key, label in self._options), compact=True
            )
            yield Static(hints([("choose", "enter"), ("cancel", "escape")]), classes="keys")

    def on_mount(self) -> None:
        """Stand on the one that holds now."""
        keys = [key for key, _ in self._options]
        if self._chosen in keys:
            self.query_one(OptionList).highlighted = keys.index(self._chosen)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_down(self) -> None:
        """The next option."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """The option before."""
        self.query_one(OptionList).action_cursor_up()


class PageOfText(Dialog[None]):
    """Shows text to read."""

    WIDTH: ClassVar[int] = 110
    DEFAULT_CSS = _CSS.format(name="PageOfText", width=WIDTH) + (
        "PageOfText VerticalScroll { height: auto; scrollbar-size-vertical: 1; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark,d", "dismiss(None)", "Close"),
        Binding("j", "scroll(1)"),
        Binding("k", "scroll(-1)"),
    ]

    def __init__(self, title: str, text: Text) -> None:
        super().__init__()
        self._title, self._text = title, text

    @classmethod
    def room(cls, width: int) -> int:
        """Cells of a line of text on a terminal of that width: border, padding and scroll bar take the others."""
        return min(cls.WIDTH, width * 95 // 100) - 5

    def compose(self) -> ComposeResult:
        """The text; it scrolls."""
        with Vertical():
            yield Static(
                Content.assemble(self.literal(self._title), "   ", hint("close", "escape")), classes="title"
            )
            text = self._text.copy()
            text.plain = self.literal(text.plain)  # a character for a character, so that styles stay in place
            with VerticalScroll():
                yield Static(text)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


Arrangement = tuple[tuple[str, ...], tuple[str, ...]]
"""Keys in their order, and those that are not shown."""


class Arrange(Dialog[Arrangement | None]):
    """Which panels or columns, in which order.

    Args:
        title: What they are.
        items: Key and title of each, in their order.
        hidden: Keys of those that are not shown.
    """

    DEFAULT_CSS = _CSS.format(name="Arrange", width=64) + "Arrange OptionList { height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "finish", "Done"),
        Binding("space", "show_or_hide", "Show or hide", priority=True),
        Binding("J", "move(1)", "Down"),
        Binding("K", "move(-1)", "Up"),
        Binding("j", "step(1)"),
        Binding("k", "step(-1)"),
    ]

    def __init__(self, title: str, items: Sequence[tuple[str, str]], hidden: Sequence[str]) -> None:
        super().__init__()
        self._title, self._items, self._hidden = title, list(items), set(hidden)

    def compose(self) -> ComposeResult:
        """A line each."""
        with Vertical():
            yield Static(self._title, markup=False, classes="title")
            yield OptionList(*self._options(), compact=True)
            keys = [("show or hide", "space"), ("move", "J", "K"), ("done", "escape")]
            yield Static(hints(keys), classes="keys")

    def _options(self) -> list[Option]:
        return [
            Option(
                Text(f"[{' ' if key in self._hidden else 'x'}] {self.literal(title)}"), id=f"item-{number}"
            )
            for number, (key, title) in enumerate(self._items)
        ]

    def _rebuild(self, highlighted: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(self._options())
        options.highlighted = highlighted

    def action_show_or_hide(self) -> None:
        """Show or hide what is under the cursor."""
        place = self.query_one(OptionList).highlighted
        if place is not None:
            self._hidden ^= {self._items[place][0]}
            self._rebuild(place)

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_show_or_hide()

    def action_move(self, by: int) -> None:
        """Move what is under the cursor."""
        place = self.query_one(OptionList).highlighted
        if place is not None and 0 <= place + by < len(self._items):
            self._items[place], self._items[place + by] = self._items[place + by], self._items[place]
            self._rebuild(place + by)

    def action_step(self, by: int) -> None:
        """Move the cursor."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def action_finish(self) -> None:
        """Take it so."""
        order = tuple(key for key, _ in self._items)
        self.dismiss((order, tuple(key for key in order if key in self._hidden)))
