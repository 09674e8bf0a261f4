"""Keeps children alive: starts them, reads what they say, starts them again, ends them in order.

One thread and one loop: whoever waits for something lets `step` run meanwhile, so that no child is ever
stuck on a full pipe and no death goes unnoticed.
"""

import os
import selectors
import signal
import subprocess  # nosec B404
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from ptdash.domain.errors import DomainError
from ptdash.runtime.children import Child
from ptdash.runtime.errors import ServerDidNotStart
from ptdash.runtime.logs import Log, Stream, last_line, say

OURSELVES = "ptdash"
STEP_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30
HEALTHY_SECONDS = 60
# A child that dies so often before it was ever ready will not come: better say so than try for ever.
ATTEMPTS_AT_START = 5


class StopRequested(Exception):
    """SIGINT, SIGTERM or SIGHUP came."""


@dataclass
class Charge:
    """A child in the supervisor's care."""

    child: Child
    log: Log
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0
    restart_at: float = 0
    pause: float = FIRST_PAUSE_SECONDS
    deaths: int = 0
    wanted: bool = True


class Supervisor:
    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._selector = selectors.DefaultSelector()
        self._charges: dict[str, Charge] = {}
        self.stop_requests = 0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The signals that end ptdash are counted meanwhile instead of ending it at once."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._count) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.stop_requests += 1

    def start(self, child: Child) -> None:
        """Start a child and keep it alive from now on."""
        charge = Charge(child, Log(self._logs / f"{child.name}.log"))
        self._charges[child.name] = charge
        self._spawn(charge)

    def start_and_wait(self, child: Child) -> None:
        """The same, and wait until it is ready; raises ServerDidNotStart where it dies again and again."""
        self.start(child)
        self.wait_for(child.ready)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Let everything run until this holds; raises StopRequested, or ServerDidNotStart for a hopeless child."""
        while not condition():
            self.step()
            if self.stop_requests:
                raise StopRequested
            for name, charge in self._charges.items():
                if charge.deaths >= ATTEMPTS_AT_START:
                    raise ServerDidNotStart(server=name, reason=last_line(self._logs / f"{name}.log"))

    def watch(self) -> None:
        """Let everything run until a signal ends it."""
        while not self.stop_requests:
            self.step()

    def step(self) -> None:
        """Pass on what children say, notice who died, start again who is due; takes a moment at most."""
        for key, _ in self._selector.select(STEP_SECONDS):
            if not key.data.pump():
                self._forget(key.data)
        now = time.monotonic()
        for charge in self._charges.values():
            if charge.process and charge.process.poll() is not None:
                self._bury(charge, now)
            elif not charge.process and charge.wanted and now >= charge.restart_at:
                try:
                    self._spawn(charge)
                except (OSError, DomainError) as error:
                    self._try_later(charge, now, str(error))

    def stop(self, names: Sequence[str], *, patient: bool = False) -> None:
        """End these children together; who does not end in time, or at a second signal, is killed.

        `patient` for a database: a second signal does not kill it.
        """
        asked = [self._charges[name] for name in names if name in self._charges]
        asked_at = time.monotonic()
        for charge in asked:
            charge.wanted = False
            _signal(charge, charge.child.stop_signal)
        while any(charge.process for charge in asked):
            self.step()
            for charge in asked:
                late = time.monotonic() - asked_at > charge.child.stop_seconds
                if charge.process and (late or (self.stop_requests > 1 and not patient)):
                    _signal(charge, signal.SIGKILL)
        for charge in asked:
            self._drain(charge.child.name)
            charge.log.close()
            del self._charges[charge.child.name]

    def names(self) -> list[str]:
        return list(self._charges)

    def _spawn(self, charge: Charge) -> None:
        reading, writing = os.pipe()
        stream = Stream(charge.child.name, reading, charge.log)
        self._selector.register(reading, selectors.EVENT_READ, stream)
        try:
            charge.process = charge.child.spawn(writing)
        finally:
            os.close(writing)
        charge.started_at = time.monotonic()

    def _bury(self, charge: Charge, now: float) -> None:
        """Note a death; an unexpected one is answered after a pause that grows while it keeps dying."""
        assert charge.process is not None  # nosec B101
        pid, code = charge.process.pid, charge.process.returncode
        charge.process = None
        with suppress(ProcessLookupError, PermissionError):  # what it left behind in its session
            os.killpg(pid, signal.SIGKILL)
        if charge.wanted:
            if now - charge.started_at > HEALTHY_SECONDS:
                charge.pause, charge.deaths = FIRST_PAUSE_SECONDS, 0
            self._try_later(charge, now, f"exit {code}" if code >= 0 else f"signal {-code}")

    def _try_later(self, charge: Charge, now: float, why: str) -> None:
        charge.deaths += 1
        charge.restart_at = now + charge.pause
        say(OURSELVES, f"{charge.child.name} ended ({why}); starting it again in {charge.pause:g} s")
        charge.pause = min(charge.pause * 2, LONGEST_PAUSE_SECONDS)

    def _forget(self, stream: Stream) -> None:
        self._selector.unregister(stream.source)
        stream.close()

    def _drain(self, name: str) -> None:
        """The last words of a child that has ended."""
        for key in list(self._selector.get_map().values()):
            if key.data.name == name:
                key.data.pump()
                self._forget(key.data)


def _signal(charge: Charge, number: signal.Signals) -> None:
    """To the child; the last one to its whole session."""
    if charge.process is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if number == signal.SIGKILL:
            os.killpg(charge.process.pid, number)
        else:
            charge.process.send_signal(number)
