"""Which runs does `preset:cifar10_lt wd>=1e-3 tag:base -state:failed` mean?

Words apart by white space; a run must satisfy every one of them.

    word              somewhere in its id, name, preset, variant, model or tags
    /re/              a regular expression found in one of these or in the note
    key:value         is that value; several by comma: state:running,stalled; * and ? stand for anything: variant:wd*
    key>=number       also > <= < = !=, of numbers; accuracies in percent: few<20
    -anything         not that
    "two words"       quotes keep white space: note:"two words"

Case does not matter. A run without the value satisfies no comparison, and so every one with a minus before it.
Which keys there are stands in `fields.FIELDS`. No torch and nothing of a screen is imported here.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import translate
from operator import ge, gt, le, lt

from wbtui.catalog import nearest
from wbtui.errors import UsageError
from wbtui.report.fields import ALIASES, FIELDS, Field, field_named, number_of
from wbtui.store.format import STATES
from wbtui.store.summary import RunSummary

Test = Callable[[RunSummary], bool]

_COMPARED = re.compile(r"([A-Za-z_]+)(>=|<=|!=|[:=<>])(.*)", re.DOTALL)
_ORDERS: dict[str, Callable[[float, float], bool]] = {">=": ge, "<=": le, ">": gt, "<": lt}
_LONGEST = 1_000
_YES, _NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")


@dataclass(frozen=True)
class Filter:
    """What to look for."""

    text: str
    """As it was typed."""

    terms: tuple[Test, ...] = field(repr=False, default=())

    def matches(self, row: RunSummary) -> bool:
        """Whether a run satisfies every word."""
        return all(term(row) for term in self.terms)

    def of(self, rows: Iterable[RunSummary]) -> list[RunSummary]:
        """The runs that satisfy it, in their order."""
        return [row for row in rows if self.matches(row)]


def parse_filter(text: str) -> Filter:
    """Read a filter; an empty one lets every run through.

    Raises:
        UsageError: a word that means nothing, with the word, what was expected and the nearest key.
    """
    if len(text) > _LONGEST:
        raise UsageError(f"filter: {len(text)} characters; expected at most {_LONGEST}")
    return Filter(text, tuple(_term(word) for word in _words(text)))


def _words(text: str) -> list[str]:
    """Split at white space outside quotes and outside /re/; quotes stay, they make a word literal."""
    words, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        if text[at] == "-":
            at += 1
        if text[at : at + 1] == "/":
            at = _closing(text, at + 1, "/", start)
        while at < len(text) and not text[at].isspace():
            at = _closing(text, at + 1, '"', start) if text[at] == '"' else at + 1
        words.append(text[start:at])
    return words


def _closing(text: str, at: int, mark: str, start: int) -> int:
    while at < len(text):
        if text[at] == "\\" and mark == "/":
            at += 1
        elif text[at] == mark:
            return at + 1
        at += 1
    raise UsageError(f"filter: {text[start:]}: no closing {mark}")


def _term(word: str) -> Test:
    if word.startswith("-"):
        if len(word) == 1:
            raise UsageError("filter: a - alone; expected a word after it, e.g. -state:failed")
        positive = _term(word[1:])
        return lambda row: not positive(row)
    if word.startswith("/"):
        return _regular(word)
    compared = _COMPARED.fullmatch(word)
    if compared:
        return _comparison(word, *compared.groups())
    wanted = word.replace('"', "").lower()
    return lambda row: any(wanted in text.lower() for text in _texts(row))


def _texts(row: RunSummary) -> tuple[str, ...]:
    return row.id, row.name, row.preset, row.variant, row.model, *row.tags


def _regular(word: str) -> Test:
    if not word.endswith("/") or len(word) < 3:
        raise UsageError(f"filter: {word}: expected a regular expression between slashes, e.g. /wd_(fr|etf)/")
    try:
        pattern = re.compile(word[1:-1], re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"filter: {word}: no regular expression: {error}") from None
    return lambda row: any(pattern.search(text) for text in (*_texts(row), row.note))


def _comparison(word: str, key: str, sign: str, value: str) -> Test:
    found = field_named(key)
    if found is None:
        names = [*FIELDS, *ALIASES]
        raise UsageError(
            f"filter: {word}: no key is called {key!r}{nearest(key.lower(), names)}; "
            f"expected one of {', '.join(_with_other_names())}"
        )
    value = value.replace('"', "")
    if not value:
        raise UsageError(f"filter: {word}: expected a value after {sign}")
    if sign in _ORDERS:
        return _ordered(word, found, _ORDERS[sign], value)
    alternatives = [_equal(word, found, one) for one in value.split(",") if one]
    if not alternatives:
        raise UsageError(f"filter: {word}: expected a value after {sign}")
    if sign == "!=":
        return lambda row: _has_value(found, row) and not any(one(row) for one in alternatives)
    return lambda row: any(one(row) for one in alternatives)


def _has_value(found: Field, row: RunSummary) -> bool:
    """Whether a run can be compared by this key; words can be in any case."""
    return found.kind not in ("number", "percent") or not math.isnan(number_of(found.read(row)))


def _with_other_names() -> list[str]:
    """Every key, those of the groups with the names that other papers give them."""
    others = {ALIASES[name]: name for name in ("head", "med", "tail")}
    return [f"{key} ({others[key]})" if key in others else key for key in FIELDS]


def _number(word: str, found: Field, value: str) -> float:
    try:
        number = float(value.removesuffix("%"))
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise UsageError(f"filter: {word}: {value!r} is no number")
    return number / 100 if found.kind == "percent" else number


def _ordered(word: str, found: Field, order: Callable[[float, float], bool], value: str) -> Test:
    if found.kind not in ("number", "percent"):
        raise UsageError(f"filter: {word}: {found.means} is no number; expected key:value")
    number = _number(word, found, value)
    return lambda row: order(number_of(found.read(row)), number)


def _equal(word: str, found: Field, value: str) -> Test:
    if found.kind in ("number", "percent"):
        number = _number(word, found, value)
        near = 5e-4 if found.kind == "percent" else 0.0  # 43.1 means what the table shows as 43.1
        return lambda row: math.isclose(number_of(found.read(row)), number, rel_tol=1e-9, abs_tol=near)
    if found.kind == "flag":
        if value.lower() not in (*_YES, *_NO):
            raise UsageError(f"filter: {word}: expected yes or no")
        wanted = value.lower() in _YES
        return lambda row: found.read(row) is wanted
    if found.kind == "text":
        return lambda row: value.lower() in str(found.read(row)).lower()
    pattern = re.compile(translate(value.lower()))
    if found is FIELDS["state"] and not any(map(pattern.fullmatch, STATES)):
        raise UsageError(
            f"filter: {word}: no state is called {value!r}{nearest(value.lower(), STATES)}; "
            f"expected one of {', '.join(STATES)}"
        )

    def matches(row: RunSummary) -> bool:
        reading = found.read(row)
        texts = reading if isinstance(reading, tuple) else (str(reading),)
        return any(pattern.fullmatch(text.lower()) for text in texts)

    return matches
