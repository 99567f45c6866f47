"""Is bare `wbtui` answered as Typer would, only sooner?"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wbtui.cli import commands
from wbtui.cli import main as main_module
from wbtui.cli.bare import DashboardOptions, dashboard_options, open_dashboard
from wbtui.errors import UsageError

WORDS = ["--readonly", "--ascii", "--no-ascii", "--mouse", "--no-mouse", "--runs=a", "--runs", "a/b", "--bad"]


def opened(words: Sequence[str], *, by_typer: bool) -> tuple[int, list[DashboardOptions]]:
    found: list[DashboardOptions] = []
    with pytest.MonkeyPatch.context() as patch:
        for module in (main_module, commands):
            patch.setattr(module, "open_dashboard", found.append)
        if by_typer:
            patch.setattr(main_module, "dashboard_options", lambda _: None)
        code = main_module.main(words)
    return code, found


@given(st.lists(st.sampled_from(WORDS), max_size=5))
def test_the_options_mean_what_they_mean_to_typer(words: list[str]) -> None:
    assert opened(words, by_typer=False) == opened(words, by_typer=True)


def test_the_environment_names_the_folder_as_for_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("elsewhere", ""):
        monkeypatch.setenv("WBTUI_RUNS", value)
        for words in ([], ["--runs", "here"]):
            assert opened(words, by_typer=False) == opened(words, by_typer=True)


@pytest.mark.parametrize(
    "words", [["ls"], ["--help"], ["-h"], ["--runs"], ["--runs", "--ascii"], ["--readonly=1"], ["--"], [""]]
)
def test_whatever_is_not_plainly_the_dashboards_is_left_to_typer(words: list[str]) -> None:
    assert dashboard_options(words) is None


def test_completion_is_left_to_typer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert dashboard_options([]) == DashboardOptions(Path("runs"))
    monkeypatch.setenv("_WBTUI_COMPLETE", "complete_bash")
    assert dashboard_options([]) is None


def test_without_a_terminal_the_dashboard_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UsageError, match="needs a terminal"):
        open_dashboard(DashboardOptions())


def test_a_start_loads_neither_typer_nor_pydantic_and_leaves_the_environment_alone() -> None:
    look = (
        "import os, sys\nfrom wbtui.cli import main\n"
        "sys.stdin.isatty = sys.stderr.isatty = lambda: True\nimport wbtui.tui.app as app\n"
        "app.run_dashboard = lambda runs, **_: print(runs, 'OPENBLAS_NUM_THREADS' in os.environ)\n"
        "assert main.main(['--runs', 'there']) == 0\n"
        "print(*sorted({'typer', 'pydantic', 'torch', 'tinydb', 'filelock'} & set(sys.modules)), 'loaded')"
    )
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-c", look],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environment,
    )
    assert done.stdout.split("\n")[:2] == ["there False", "loaded"]
