"""`ptdash up`: one home, one supervisor, everything that ptdash needs."""

import http.client
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus

from ptdash.config import Config
from ptdash.runtime import home as homes
from ptdash.runtime.children import Child, programs
from ptdash.runtime.errors import AddressNotFree, FixedDayOutsideDemo
from ptdash.runtime.locks import UpLock
from ptdash.runtime.logs import say
from ptdash.runtime.processes import POLL_SECONDS
from ptdash.runtime.servers import NAMES, Servers
from ptdash.runtime.supervisor import OURSELVES, StopRequested, Supervisor

# After a supervisor was killed its web server still needs a moment to let go of the port.
PORT_GRACE_SECONDS = 15
HEALTH_SECONDS = 2
TELL_SECONDS = 15
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # nosec B104


def up(
    config: Config, *, host: str, port: int, workers: int, prepare: Callable[[Config], None], now: datetime
) -> None:
    """Serve until SIGINT or SIGTERM; `prepare` runs the migrations once the servers answer.

    Raises a DomainError with what keeps ptdash from running: another `up`, the port, a server.
    """
    if config.today and not config.demo:
        raise FixedDayOutsideDemo()

    def children(ready: Config, free_port: int) -> list[Child]:
        return programs(ready, host=host, port=free_port, workers=workers)

    serve(config, host=host, port=port, children=children, prepare=prepare, complaint=ill_health, now=now)


def serve(
    config: Config,
    *,
    host: str,
    port: int,
    children: Callable[[Config, int], list[Child]],
    prepare: Callable[[Config], None],
    complaint: Callable[[str, int], str | None],
    now: datetime,
) -> None:
    """Run these children, the first of which stops first, on the home's servers; the ready line is on stdout."""
    home = homes.ensure(config.home)
    lock = UpLock(home, now)
    supervisor = Supervisor(home / "log")
    servers = Servers(home, supervisor, lock)
    with supervisor.listening():
        try:
            port = free_port(host, port, PORT_GRACE_SECONDS if lock.last_one_was_killed else 0)
            config = servers.start(config)
            config = replace(config, secret_key=config.secret_key or homes.secret_key(home))
            _run_beside(supervisor, partial(prepare, config))
            for child in children(config, port):
                supervisor.start(child)
            _wait_for_health(supervisor, partial(complaint, host, port))
            sys.stdout.write(f"ptdash ready on http://{_in_url(host)}:{port}\n")
            sys.stdout.flush()
            supervisor.watch()
        except StopRequested:
            pass
        finally:
            say(OURSELVES, "stopping")
            try:
                _stop_programs(supervisor)
            finally:
                servers.stop()


def _wait_for_health(supervisor: Supervisor, complaint: Callable[[], str | None]) -> None:
    """Until nothing is complained about; a complaint that stays is told from time to time."""
    tell_at = time.monotonic() + TELL_SECONDS

    def healthy() -> bool:
        nonlocal tell_at
        found = complaint()
        if found and time.monotonic() > tell_at:
            say(OURSELVES, f"not ready yet: {found}")
            tell_at = time.monotonic() + TELL_SECONDS
        return found is None

    supervisor.wait_for(healthy)


def _stop_programs(supervisor: Supervisor) -> None:
    """The web server first, so that nobody asks what can no longer be answered; then the others together."""
    names = [name for name in supervisor.names() if name not in NAMES]
    supervisor.stop(names[:1])
    supervisor.stop(names[1:])


def _run_beside(supervisor: Supervisor, work: Callable[[], None]) -> None:
    """Do something long while the children are looked after; raises what it raised, or StopRequested."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    supervisor.wait_for(lambda: not thread.is_alive())
    if failures:
        raise failures[0]


def free_port(host: str, port: int, patience: float = 0) -> int:
    """The port where nobody else listens, any for 0; raises AddressNotFree with the system's reason."""
    deadline = time.monotonic() + patience
    while True:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                return int(probe.getsockname()[1])
        except (OSError, OverflowError) as error:
            if time.monotonic() > deadline:
                reason = getattr(error, "strerror", None) or str(error)
                raise AddressNotFree(host=host, port=port, reason=reason) from None
        time.sleep(POLL_SECONDS)


def ill_health(host: str, port: int) -> str | None:
    """What `/healthz` complains about; None where every part is as it should be."""
    connection = http.client.HTTPConnection(ANY_ADDRESS.get(host, host), port, timeout=HEALTH_SECONDS)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return None if response.status == HTTPStatus.OK else " ".join(response.read().decode().split())
    except (OSError, http.client.HTTPException) as error:
        return f"the web server does not answer ({error})"
    finally:
        connection.close()


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
