"""What is raised when the user, and not the program, is mistaken."""

import re


class UsageError(Exception):
    """A mistake in what the user asked for or in a file they gave.

    The message says where, what was wrong, what was expected and what to do; commands print it alone, without a
    traceback, and exit 2.
    """


class MissingPackageError(UsageError):
    """A package that only an extra of this one brings is not installed.

    Args:
        what: the option or file that needs it.
        error: what the import raised.
        extra: the extra's name in pyproject.toml.
    """

    def __init__(self, what: str, error: ImportError, extra: str) -> None:
        super().__init__(f"{what}: {error}; the extra {extra!r} brings it: pip install 'wbtui[{extra}]'")


class RunFailedError(Exception):
    """The run itself failed; the message says why. Commands print it alone and exit 1."""


UTF8 = "expected a text that UTF-8 can write"
"""What is expected of every text of a configuration: it stands in a TOML file."""
_BOOL, _WHOLE, _NUMBER = "expected true or false", "expected a whole number", "expected a number"
_EXPECTED = {
    "bool_type": _BOOL,
    "bool_parsing": _BOOL,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "string_type": "expected a text",
    "string_unicode": UTF8,
    "tuple_type": "expected a list, such as [0.5, 0.5]",
    "model_type": "expected a section",
}
"""What was expected, by the kind of pydantic's validation errors whose own words are Python's."""
_LENGTH = re.compile(
    r"(?:String|Tuple) should have (at (?:least|most) \d+ \w+)(?: after validation, not \d+)?"
)
"""How pydantic says that a text or a list is too short or too long."""


def expectation(kind: str, message: str) -> str:
    """What a configuration expected in place of a wrong value, as TOML and people call it.

    Args:
        kind: `type` of one of pydantic's validation errors, such as `bool_parsing`.
        message: its `msg`.
    """
    words = message.removeprefix("Value error, ").replace("Input should be", "expected", 1)
    words = _LENGTH.sub(r"expected \1", words)
    return _EXPECTED.get(kind, words[:1].lower() + words[1:])
