"""What a person sees when the dashboard itself breaks: a few lines, where the rest lies, and that runs go on."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from dashboard_helpers import make_run

_BREAKS = """
import sys
from wbtui.cli.main import main
from wbtui.tui.screens.runs import RunsScreen

def broken(self):
    secret = "a-token-in-a-variable"
    raise KeyError("it [bold]broke[/] here")

RunsScreen.{method} = broken
sys.exit(main(["--runs", sys.argv[1]]))
"""


@pytest.mark.parametrize("method", ["on_mount", "compose"])
def test_a_crash_says_little_where_the_rest_lies_and_that_runs_go_on(tmp_path: Path, method: str) -> None:
    make_run(tmp_path / "runs")
    code, text = _on_a_terminal(tmp_path, _BREAKS.format(method=method))
    assert code == 1
    said = text[text.index("wbtui: the dashboard broke") :]
    assert "your runs go on; open wbtui again" in said
    assert "KeyError: 'it [bold]broke[/] here'" in said
    assert "in broken" in said
    assert len(said.splitlines()) < 12
    for dump in ("locals", "secret", "raise KeyError", "╭"):
        assert dump not in said
    file = tmp_path / "state" / "wbtui" / "dashboard-crash.txt"
    assert f"The whole traceback:{file}" in said.replace("\n", "")
    kept = file.read_text()
    assert "Traceback (most recent call last)" in kept
    assert "in broken" in kept
    assert "a-token-in-a-variable" not in kept


def test_a_thread_that_breaks_and_a_folder_that_takes_no_file_are_said(tmp_path: Path) -> None:
    make_run(tmp_path / "runs")
    (tmp_path / "state").write_text("no folder")
    breaks = _BREAKS.format(method="unused").replace(
        "RunsScreen.unused = broken",
        "RunsScreen.on_mount = lambda self: self.run_worker(lambda: broken(self), thread=True)",
    )
    code, text = _on_a_terminal(tmp_path, breaks)
    assert code == 1
    assert "KeyError" in text
    assert "could not be written" in text
    assert "Worker raised" not in text


def _on_a_terminal(place: Path, program: str) -> tuple[int, str]:
    """Run it with a terminal of its own; its exit code and all that came."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(place / "state"),
        "XDG_CONFIG_HOME": str(place / "config"),
        "TERM": "xterm-256color",
    }
    command = [sys.executable, "-c", program, str(place / "runs")]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        came = b""
        while True:
            try:
                more = os.read(ours, 65536)
            except OSError:
                break
            if not more:
                break
            came += more
        code = process.wait(30)
    os.close(ours)
    return code, came.decode("utf-8", "replace").replace("\r\n", "\n")
