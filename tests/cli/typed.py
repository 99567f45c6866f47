"""Commands as a person types them: in this process, or in one of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wbtui.cli.main import main

_ROOT = Path(__file__).resolve().parents[2]


def wbtui(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Type a command: exit code, stdout and stderr."""
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def environment_with(**variables: str) -> dict[str, str]:
    """The environment of a process that is to find the package as it stands here."""
    return os.environ | {"PYTHONPATH": str(_ROOT)} | variables


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the package as it stands here."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment_with(**environment),
    )
