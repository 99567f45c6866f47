"""Run folders to look at, made by the store's own writer, and a way to drive the dashboard without a terminal."""

import os

import pytest


@pytest.fixture
def _with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "NO_COLOR" not in os.environ
