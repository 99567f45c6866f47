"""What does opening the dashboard need, and what does it leave alone?"""

import os
import subprocess
import sys
from pathlib import Path

from dashboard_helpers import make_run

_WITHOUT_TORCH = """
import asyncio, sys
from pathlib import Path
from wbtui.tui.app import WbtuiApp

async def look():
    app = WbtuiApp(Path(sys.argv[1]))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(1.0)
        for key in ("enter", "right_square_bracket", "right_square_bracket", "escape", "R", "escape", "Q", "escape"):
            await pilot.press(key)
            await pilot.pause(0.1)

asyncio.run(look())
print(sorted(name for name in sys.modules if name.split(".")[0] in ("torch", "torchvision")
             or name.startswith(("wbtui.training", "wbtui.models", "wbtui.diagnostics"))))
"""


def test_the_dashboard_never_imports_torch(runs: Path) -> None:
    make_run(runs)
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, str(runs)],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_without_a_terminal_the_command_says_what_to_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wbtui"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert "Traceback" not in done.stderr
