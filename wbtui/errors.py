"""What is raised when the user, and not the program, is mistaken."""


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
