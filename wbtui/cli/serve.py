"""`wbtui serve`: the dashboard in a browser, for whoever reaches the address."""

import asyncio
import contextlib
import errno
import getpass
import ipaddress
import logging
import os
import re
import shlex
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from wbtui.cli.options import Runs
from wbtui.store.runs_folder import RUNS_DEFAULT

if TYPE_CHECKING:
    from textual_serve.server import Server

app = typer.Typer()

_ENDING_SECONDS = 10.0
"""How long dashboards have to close after Ctrl-C."""
_LOOK_SECONDS = 0.05
_FOREIGN_FONT = re.compile(r"<link[^>]*fonts\.googleapis\.com[^>]*>")
_OWN_FONT = """<style>
@font-face {
  font-family: "Roboto Mono"; font-weight: 100 700;
  src: url("/static/fonts/RobotoMono-VariableFont_wght.ttf");
}
</style>"""

_HEAD = """<head>
<title>wbtui</title>
<script>
  // The terminal takes keys while it has the focus, and a page begins without. It tells the server of its focus, so
  // not before the server has spoken.
  const waiting = setInterval(() => {
    const terminal = document.querySelector("body.-first-byte .xterm-helper-textarea");
    if (terminal) { terminal.focus(); clearInterval(waiting); }
  }, 100);
</script>"""


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: one that is free.")] = 8000,
    readonly: Annotated[bool, typer.Option("--readonly", help="Start, stop and write nothing.")] = False,
    ascii_only: Annotated[bool, typer.Option("--ascii", help="Draw with ASCII alone.")] = False,
    runs: Runs = RUNS_DEFAULT,
) -> None:
    """Show the dashboard in a browser, until Ctrl-C; runs go on.

    There is no password: whoever reaches the address can start and stop programs as you, so it is this machine's own
    unless --host says otherwise. Needs textual-serve: pip install 'wbtui[web]'.
    """
    from wbtui.errors import UsageError

    before = context.parent.params if context.parent else {}  # `wbtui --readonly serve` means it too
    readonly = readonly or bool(before.get("readonly"))
    try:
        import textual_serve.server  # noqa: F401
    except ModuleNotFoundError as error:
        missing = (error.name or "textual_serve").partition(".")[0]
        raise UsageError(f"a browser needs {missing}; pip install 'wbtui[web]'") from error
    port = free_port(host, port)
    if not is_loopback(host):
        print(warning(host, port, readonly=readonly), file=sys.stderr)
    os.environ.update(_dashboard_environment())
    make_server(dashboard_command(runs, readonly=readonly, ascii_only=ascii_only), host, port, runs).serve()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def address(host: str, port: int) -> str:
    """What is typed into the browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def warning(host: str, port: int, *, readonly: bool) -> str:
    """What everyone has to know who lets others in."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = "USER"
    tunnel = f"ssh -L {port}:127.0.0.1:{port} {user}@{socket.gethostname()}"
    what = "read these runs" if readonly else f"start and stop programs as {user}"
    instead = "" if readonly else ", or let them only look: --readonly"
    return (
        f"wbtui: warning: anyone who reaches {address(host, port)} can {what}; there is no password.\n"
        f"  To reach it from elsewhere alone, leave out --host and open a tunnel there: {tunnel}{instead}"
    )


def free_port(host: str, port: int) -> int:
    """The port, if it can be listened on; for 0 one that is free.

    Raises:
        UsageError: somebody else has it, or the address is not this machine's.
    """
    from wbtui.errors import UsageError

    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(place)
            return int(tried.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            said = f"port {port} of {host} is taken; another with --port, a free one with --port 0"
        elif error.errno == errno.EACCES:
            said = f"port {port} of {host} is not for you to listen on; choose one above 1023 with --port"
        else:
            said = (
                f"cannot listen on --host {host}: {error.strerror or error}; 127.0.0.1 is this machine alone"
            )
        raise UsageError(said) from error


def dashboard_command(runs: Path, *, readonly: bool, ascii_only: bool) -> str:
    """The line that a shell runs for each page that is opened."""
    words = [sys.executable, "-P", "-m", "wbtui", f"--runs={runs}"]
    words.append("--ascii" if ascii_only else "--no-ascii")  # the TERM of this terminal is not the browser's
    line = shlex.join([*words, *(["--readonly"] if readonly else [])])
    return (
        f"exec {line}"  # no shell in between: the dashboard ends itself when its parent, the server, is gone
    )


def _dashboard_environment() -> dict[str, str]:
    from wbtui.launch.environment import child_environment

    return child_environment()


def make_server(command: str, host: str, port: int, runs: Path) -> "Server":
    """A server of the dashboard; each page is a process of its own, which ends with the page."""
    import psutil
    from aiohttp import web
    from textual_serve.server import Server

    class DashboardServer(Server):
        """Textual's server without what comes from elsewhere: fonts, and pages of other sites that reach in."""

        def __init__(self) -> None:
            super().__init__(command, host=host, port=port, title="wbtui")
            self._sessions: set[asyncio.Task[Any]] = set()

        def initialize_logging(self) -> None:
            logging.basicConfig(level="WARNING", format="wbtui: %(message)s")

        async def on_startup(self, app: web.Application) -> None:
            print(f"{runs}: {address(host, port)}   Ctrl-C ends the dashboards, runs go on", flush=True)

        async def on_shutdown(self, app: web.Application) -> None:
            for session in self._sessions:
                session.cancel()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING_SECONDS):
                    # Only looked at: asyncio takes leave of each itself.
                    while psutil.Process().children():
                        await asyncio.sleep(_LOOK_SECONDS)
            for session in self._sessions:  # of pages that do not answer
                session.cancel()

        async def handle_index(self, request: web.Request) -> Any:
            self._refuse_strangers(request)
            page: Any = await super().handle_index(request)
            text = _FOREIGN_FONT.sub(_OWN_FONT, page.text)
            # the way this browser came, which through a tunnel or a proxy is another than ours
            text = text.replace(self.public_url.partition("//")[2], request.host)
            page.text = text.replace("<head>", _HEAD, 1)
            return page

        async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
            self._refuse_strangers(request)
            session = asyncio.current_task()
            assert session is not None
            self._sessions.add(session)
            try:
                return await super().handle_websocket(request)
            finally:
                self._sessions.discard(session)

        def _refuse_strangers(self, request: web.Request) -> None:
            origin = request.headers.get("Origin")
            if not is_own_page(request.host, origin, only_loopback=is_loopback(host)):
                raise web.HTTPForbidden(
                    text="wbtui: another site's page, or a name that is not this machine's"
                )

    return DashboardServer()


def is_own_page(host: str, origin: str | None, *, only_loopback: bool) -> bool:
    """Whether a request is from a page of this server.

    Browsers let the pages of any site open a websocket to any address, this machine's too, and names of other sites
    may lead here.

    Args:
        host: The header of that name.
        origin: The header of that name; no browser leaves it out of a websocket's request.
        only_loopback: Whether only names of this machine may be asked for.
    """
    if not re.fullmatch(r"[\w.:\[\]-]+", host):
        return False
    if only_loopback and not is_loopback(urlsplit(f"//{host}").hostname or ""):
        return False
    return origin is None or urlsplit(origin).netloc == host
