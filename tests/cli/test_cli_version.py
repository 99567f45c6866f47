"""Is one version told everywhere?"""

import tomllib
from pathlib import Path

import pytest
from typed import wbtui as command

import wbtui

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == wbtui.__version__
    assert f"version: {wbtui.__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert command(capsys, "--version")[:2] == (0, f"wbtui {wbtui.__version__}\n")
