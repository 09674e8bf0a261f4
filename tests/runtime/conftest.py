"""Homes, and programs that run on them; whatever a test leaves behind is ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import pytest

from ptdash.runtime.postgres import Postgres
from ptdash.runtime.processes import wait_until
from ptdash.runtime.valkey import Valkey
from tests.homes import temporary_home
from tests.runtime.house import ROOT

DEADLINE_SECONDS = 60


def soon(condition: Callable[[], Any]) -> bool:
    return wait_until(lambda: bool(condition()), DEADLINE_SECONDS)


class Running:
    """A program of tests.runtime.house."""

    def __init__(self, log: IO[str], *arguments: str) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.runtime.house", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=ROOT,
        )

    def line(self) -> str:
        """The next line on its stdout; empty where it ended without one."""
        assert self.process.stdout
        return self.process.stdout.readline().rstrip("\n")

    def answer(self) -> Any:
        line = self.line()
        assert line, f"exit {self.ended()}: {self.said()}"
        return json.loads(line)

    def go_on(self) -> None:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(DEADLINE_SECONDS)

    def said(self) -> str:
        return Path(self.log.name).read_text()


@pytest.fixture(scope="session")
def used_home() -> Iterator[Path]:
    """A home with a database, from which the others are copied: that is faster than making each anew."""
    with temporary_home() as path:
        Postgres.of_home(path).prepare()
        yield path


@pytest.fixture
def home(used_home: Path) -> Iterator[Path]:
    with temporary_home() as path:
        subprocess.run(["cp", "-a", used_home, path], check=True)
        yield path


@pytest.fixture
def empty_home() -> Iterator[Path]:
    with temporary_home() as path:
        yield path


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts `up` or a `command` on the home."""
    running: list[Running] = []

    def start(what: str, *arguments: str) -> Running:
        log = (tmp_path / f"{len(running)}-{what}.log").open("w")
        running.append(Running(log, what, str(home), *arguments))
        return running[-1]

    yield start
    for program in running:
        with program.log, program.process as process:
            process.send_signal(signal.SIGCONT)
            process.kill()
    Postgres.of_home(home).stop(signal.SIGQUIT)
    Valkey.of_home(home).stop()


@pytest.fixture
def up(run: Callable[..., Running]) -> Callable[..., Running]:
    """Starts `up` on any port with a healthy web server and a sleeping worker, and waits for its ready line."""

    def start(web: str = "healthy_web", worker: str = "sleeper") -> Running:
        program = run("up", "0", web, worker)
        line = program.line()
        assert line.startswith("ptdash ready on http://127.0.0.1:"), program.said()
        return program

    return start


def kill(pid: int | None) -> None:
    assert pid
    os.kill(pid, signal.SIGKILL)


def pids_of_children(pid: int) -> set[int]:
    """The living children of a process, found without any package."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listed.splitlines()]
    return {int(row[0]) for row in rows if int(row[1]) == pid and not row[2].startswith("Z")}


def alive(pid: int) -> bool:
    with suppress(subprocess.CalledProcessError):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=True)
        return not state.stdout.strip().startswith("Z")
    return False
