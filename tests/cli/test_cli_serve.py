"""The dashboard in a browser: really served, its page fetched, its websocket spoken to as the page does."""

import asyncio
import contextlib
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from living_runs import processes_of
from terminal import WBTUI, wbtui

from wbtui.cli.serve import address, dashboard_command, free_port, is_loopback, is_own_page, warning
from wbtui.errors import UsageError
from wbtui.launch.environment import child_environment
from wbtui.launch.stop import Rung, take
from wbtui.store.reader import open_run

SECONDS = 40.0


class Served:
    """A `wbtui serve` of its own on a free port."""

    def __init__(self, runs: Path, *options: str, before: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*WBTUI, *before, "serve", "--port", "0", "--runs", str(runs), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
            start_new_session=True,  # a process group, as a terminal gives one to each command
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        found = re.search(r"http://\S+:(\d+) ", said)
        assert found, said + self.process.communicate()[1]
        self.port = int(found[1])
        wait_for(self._listens)

    def _listens(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    @property
    def here(self) -> str:
        return f"127.0.0.1:{self.port}"

    def dashboards(self) -> list[psutil.Process]:
        """Its living children."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.process.pid).children(recursive=True)
            return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]
        return []

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C; exit code and what stood on stderr."""
        os.killpg(self.process.pid, signal.SIGINT)
        _, told = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, told

    def end(self) -> None:
        if self.process.poll() is None:
            self.interrupt()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


class Page:
    """What the script of the page does: keys go out, the screen comes in."""

    def __init__(self, socket_: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket_
        self.seen = ""

    async def until(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z$]", "", self.seen):
            assert time.monotonic() < deadline, self.seen[-2000:]
            message = await self._socket.receive(timeout=SECONDS)
            assert message.type is aiohttp.WSMsgType.BINARY, (message, self.seen[-2000:])
            self.seen += message.data.decode("utf-8", "replace")

    async def press(self, keys: str) -> None:
        self.seen = ""
        await self._socket.send_json(["stdin", keys])

    async def to_front(self) -> None:
        """The window gets the focus; without it no field takes keys."""
        await self._socket.send_json(["focus"])

    async def closed(self) -> None:
        while not self._socket.closed:
            message = await self._socket.receive(timeout=SECONDS)
            assert message.type is not aiohttp.WSMsgType.ERROR


def with_page(served: Served, what: Callable[[Page], Awaitable[None]]) -> None:
    async def opened() -> None:
        url = f"ws://{served.here}/ws?width=110&height=36"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(url, origin=f"http://{served.here}") as socket_,
        ):
            await what(Page(socket_))

    asyncio.run(opened())


def fetched(url: str, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=SECONDS) as answer:
        data: bytes = answer.read()
        return data


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def odd_runs(runs: Path) -> Path:
    """A folder whose name a shell would take apart."""
    return runs / 'it\'s $HOME; "my" runs'


@pytest.fixture
def serve(odd_runs: Path) -> Iterator[Callable[..., Served]]:
    """Serve that folder."""
    running: list[Served] = []

    def start(*options: str, before: tuple[str, ...] = ()) -> Served:
        running.append(Served(odd_runs, *options, before=before))
        return running[-1]

    yield start
    for one in running:
        one.end()


def test_the_page_and_all_it_needs_come_from_this_server(serve: Callable[..., Served]) -> None:
    served = serve()
    for name in (served.here, f"localhost:{served.port}"):  # as through a tunnel: the way the browser came
        page = fetched(f"http://{name}/").decode()
        assert page.count("<title>wbtui</title>") == 1
        assert ".xterm-helper-textarea" in page, "keys count without a click"
        assert f'"ws://{name}/ws"' in page
        wanted = re.findall(r"""(?:href|src)="([^"]+)"|url\("([^"]+)"\)""", page)
        urls = [one or other for one, other in wanted]
        assert any(url.endswith(".js") for url in urls)
        assert any(url.endswith(".ttf") for url in urls)
        for url in urls:
            whole = f"http://{name}{url}" if url.startswith("/") else url
            assert whole.startswith(f"http://{name}/"), url
            assert b"@import" not in fetched(whole)


def test_the_dashboard_draws_answers_keys_and_ends_with_its_page(
    serve: Callable[..., Served], odd_runs: Path
) -> None:
    served = serve()

    async def look(page: Page) -> None:
        await page.until("No runs here yet")
        assert len(served.dashboards()) >= 1
        await page.press("?")
        await page.until("Open the run in full")

    with_page(served, look)
    wait_for(lambda: not served.dashboards())
    assert served.process.poll() is None


@pytest.mark.parametrize("answers", [True, False])  # a page of a sleeping laptop does not
def test_ctrl_c_ends_dashboards_before_the_server_and_leaves_runs_at_work(
    serve: Callable[..., Served], odd_runs: Path, answers: bool
) -> None:
    served = serve()
    dashboards: list[psutil.Process] = []
    left: list[psutil.Process] = []
    ended: list[tuple[int, str]] = []

    async def look(page: Page) -> None:
        await page.until("No runs here yet")
        await page.to_front()
        await page.press("R")
        await page.until("esc back")
        await page.press("\t" * 4)
        await page.press("stages.0.epochs=9000")
        await page.press("\r")
        await page.until("1 running")
        dashboards.extend(one for one in served.dashboards() if "--no-ascii" in one.cmdline())
        closing = asyncio.create_task(page.closed()) if answers else page.closed()
        ended.append(await asyncio.to_thread(served.interrupt))
        left.extend(filter(psutil.Process.is_running, dashboards))
        await closing

    with_page(served, look)
    assert ended == [(0, "")]
    assert dashboards
    assert not left
    (folder,) = (one.parent for one in odd_runs.glob("*/config.toml"))
    assert processes_of(folder)
    assert not open_run(folder).state().terminal
    take(folder, Rung.KILL)
    wait_for(lambda: open_run(folder).state().terminal)


def test_a_server_that_is_killed_leaves_no_dashboard_behind(serve: Callable[..., Served]) -> None:
    served = serve()
    dashboards: list[psutil.Process] = []

    async def look(page: Page) -> None:
        await page.until("No runs here yet")
        dashboards.extend(served.dashboards())
        served.process.kill()
        await page.closed()

    with_page(served, look)
    assert len(dashboards) == 1
    wait_for(lambda: not any(map(psutil.Process.is_running, dashboards)))


def test_pages_of_other_sites_and_names_of_others_are_refused(serve: Callable[..., Served]) -> None:
    served = serve()
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{served.port}", "Origin": f"http://evil.example:{served.port}"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": f"127.0.0.1:{served.port}<script>"},
    ):
        for place in ("", "ws"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                fetched(f"http://{served.here}/{place}", **headers)
            assert refused.value.code in (400, 403)
            refused.value.close()
    assert not served.dashboards()


def test_readonly_counts_before_and_after_the_command(serve: Callable[..., Served]) -> None:
    async def look(page: Page) -> None:
        await page.until("There are no runs in")
        await page.press("R")
        await page.until("--readonly")

    with_page(serve("--readonly"), look)
    with_page(serve(before=("--readonly",)), look)


def test_an_address_that_others_reach_is_warned_about(serve: Callable[..., Served]) -> None:
    for options, said in (((), "start and stop programs as"), (("--readonly",), "read these runs")):
        served = serve("--host", "0.0.0.0", *options)
        assert f'"ws://{served.here}/ws"' in fetched(f"http://{served.here}/").decode()
        code, told = served.interrupt()
        assert code == 0
        assert f"anyone who reaches http://0.0.0.0:{served.port} can {said}" in told
        assert "there is no password" in told
        assert f"ssh -L {served.port}:127.0.0.1:{served.port} " in told
        assert ("--readonly" in told) is (not options)


def test_a_port_that_is_taken_is_one_message(runs: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = wbtui("serve", "--port", str(port), runs=runs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"wbtui: port {port} of 127.0.0.1 is taken; another with --port, a free one with --port 0\n"
    )


def test_an_address_that_is_not_this_machines_is_one_message(runs: Path) -> None:
    done = wbtui("serve", "--host", "192.0.2.1", "--port", "0", runs=runs)
    assert done.returncode == 2
    assert done.stderr.startswith("wbtui: cannot listen on --host 192.0.2.1: ")
    assert done.stderr.count("\n") == 1


def test_without_the_extra_one_message_says_how_to_get_it(runs: Path) -> None:
    without = (
        "import sys; sys.modules['textual_serve'] = None\n"
        f"from wbtui.cli.main import main; sys.exit(main(['serve', '--runs', {str(runs)!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, env=child_environment(), check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "wbtui: a browser needs textual_serve; pip install 'wbtui[web]'\n"


def test_its_help_needs_neither_server_nor_screen() -> None:
    look = (
        "import sys\nfrom wbtui.cli.main import main\nmain(['serve', '--help'])\n"
        "print(*[name for name in ('textual', 'textual_serve', 'aiohttp', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], capture_output=True, text=True, env=child_environment(), check=True
    )
    assert "no password" in done.stdout
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.7", False),
        ("localhost.example", False),
        ("example", False),
        ("", False),
    ],
)
def test_only_loopback_is_this_machine_alone(host: str, own: bool) -> None:
    assert is_loopback(host) is own
    assert (
        is_own_page(
            f"{host or 'x'}:8000" if ":" not in host else f"[{host.strip('[]')}]:8000",
            None,
            only_loopback=True,
        )
        is own
    )


def test_through_a_tunnel_another_port_is_the_same_page() -> None:
    assert is_own_page("localhost:9000", "http://localhost:9000", only_loopback=True)
    assert not is_own_page("localhost:9000", "http://localhost:8000", only_loopback=True)
    assert is_own_page("gpu.example:8000", "https://gpu.example:8000", only_loopback=False)


@settings(deadline=None, max_examples=200)
@given(name=st.text(st.characters(exclude_characters="\x00/", exclude_categories=("Cs",)), min_size=1))
def test_any_folder_reaches_the_dashboard_as_it_is_called(name: str) -> None:
    words = shlex.split(dashboard_command(Path(name), readonly=True, ascii_only=True))
    assert words.pop(0) == "exec"
    assert words == [sys.executable, "-P", "-m", "wbtui", f"--runs={Path(name)}", "--ascii", "--readonly"]


def test_addresses_are_written_as_browsers_take_them() -> None:
    assert address("::1", 80) == "http://[::1]:80"
    assert "http://[::]:8000" in warning("::", 8000, readonly=False)


def test_port_nought_is_one_that_is_free() -> None:
    assert free_port("127.0.0.1", 0) > 1023
    with pytest.raises(UsageError, match="cannot listen"):
        free_port("nobody.invalid", 0)
