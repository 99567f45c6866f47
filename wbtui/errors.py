"""What is raised when the user, and not the program, is mistaken."""


class UsageError(Exception):
    """A mistake in what the user asked for or in a file they gave.

    The message says where, what was wrong, what was expected and what to do; commands print it alone, without a
    traceback, and exit 2.
    """


class RunFailedError(Exception):
    """The run itself failed; the message says why. Commands print it alone and exit 1."""
