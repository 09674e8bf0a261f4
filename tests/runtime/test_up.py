"""One supervisor a home: it starts everything, keeps it alive, and takes everything with it."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from ptdash.runtime.postgres import Postgres
from ptdash.runtime.valkey import Valkey
from tests.runtime.conftest import Running, alive, kill, pids_of_children, soon

Start = Callable[..., Running]


def named(home: Path, name: str) -> str:
    return (home / "log" / f"{name}.log").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_serves_until_a_signal_and_leaves_nothing_running(
    home: Path, up: Start, number: signal.Signals
) -> None:
    program = up()
    children = pids_of_children(program.process.pid)
    assert len(children) == 4
    program.send(number)
    assert program.ended() == 0
    assert not any(alive(pid) for pid in children)
    assert Postgres.of_home(home).running_pid() is None
    assert Valkey.of_home(home).running_pid() is None


def test_a_second_up_is_refused_with_who_holds_the_home(up: Start, run: Start) -> None:
    first = up()
    second = run("up", "0", "healthy_web", "sleeper")
    assert second.ended() == 1
    assert f"process {first.process.pid} on {socket.gethostname()} since 20" in second.said()
    assert first.process.poll() is None


def test_up_can_start_again_after_it_ended(up: Start) -> None:
    for _ in range(2):
        program = up()
        program.send(signal.SIGTERM)
        assert program.ended() == 0


def test_a_port_in_use_is_a_sentence_and_nothing_is_started(home: Path, run: Start) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        program = run("up", str(port), "healthy_web", "sleeper")
        assert program.ended() == 1
    assert f"Error: 127.0.0.1:{port} cannot be used (Address already in use)" in program.said()
    assert Postgres.of_home(home).running_pid() is None


def test_a_killed_database_is_started_again_with_its_data(home: Path, up: Start) -> None:
    up()
    postgres = Postgres.of_home(home)
    before = postgres.running_pid()
    kill(before)
    assert soon(lambda: postgres.running_pid() not in (None, before) and postgres.answers())


def test_a_killed_queue_is_started_again_with_its_jobs(home: Path, up: Start) -> None:
    up()
    valkey = Valkey.of_home(home)
    before = valkey.running_pid()
    with Redis.from_url(valkey.url) as client:
        client.rpush("jobs", "one")
        client.waitaof(1, 0, 10_000)
    kill(before)
    assert soon(lambda: valkey.running_pid() not in (None, before) and valkey.answers())
    with Redis.from_url(valkey.url) as client:
        assert client.lrange("jobs", 0, -1) == [b"one"]


def test_a_killed_program_is_started_again(home: Path, up: Start) -> None:
    program = up()
    assert soon(lambda: named(home, "worker").count("at work") == 1)
    servers = {Postgres.of_home(home).running_pid(), Valkey.of_home(home).running_pid()}
    for pid in pids_of_children(program.process.pid) - servers:
        kill(pid)
    assert soon(lambda: named(home, "worker").count("at work") == 2)
    assert "worker ended (signal 9); starting it again in 0.5 s" in program.said()


def test_children_end_with_a_killed_supervisor(home: Path, up: Start) -> None:
    program = up()
    children = pids_of_children(program.process.pid)
    program.send(signal.SIGKILL)
    program.ended()
    assert soon(lambda: not any(alive(pid) for pid in children))
    assert up().process.poll() is None


def test_a_program_that_never_comes_up_ends_the_start_with_its_last_words(home: Path, run: Start) -> None:
    program = run("up", "0", "hopeless", "sleeper")
    assert program.ended() == 1
    assert "Error: web did not start: nothing works here" in program.said()
    assert Postgres.of_home(home).running_pid() is None


def test_a_second_signal_kills_programs_that_do_not_listen(home: Path, up: Start) -> None:
    program = up(worker="stubborn")
    assert soon(lambda: "at work" in named(home, "worker"))
    program.send(signal.SIGINT)
    assert soon(lambda: "stopping" in program.said())
    program.send(signal.SIGINT)
    assert program.ended() == 0
    assert "database system is shut down" in named(home, "postgres")


def test_what_children_say_is_on_stderr_behind_their_name(home: Path, up: Start) -> None:
    program = up()
    assert soon(lambda: "worker    | at work\n" in program.said())
    assert named(home, "worker") == "at work\n"


def test_up_can_be_stopped_while_it_starts(home: Path, run: Start) -> None:
    program = run("up", "0", "sleeper", "sleeper")
    assert soon(lambda: (home / "log" / "web.log").exists())
    program.send(signal.SIGTERM)
    assert program.ended() == 0
    assert program.line() == ""


def test_the_secret_key_is_made_and_given_to_the_children(home: Path, up: Start) -> None:
    up()
    assert (home / "secret_key").stat().st_mode & 0o777 == 0o600
