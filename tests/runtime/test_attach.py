"""A command uses the database that runs, or starts it; the last one out stops it."""

import signal
from collections.abc import Callable
from pathlib import Path

import psycopg

from ptdash.config import Config
from ptdash.runtime.attach import attached
from ptdash.runtime.locks import Lock
from ptdash.runtime.postgres import Postgres
from tests.runtime.conftest import Running, soon

Start = Callable[..., Running]


def test_a_command_alone_makes_the_database_starts_it_and_stops_it(empty_home: Path) -> None:
    postgres = Postgres.of_home(empty_home)
    with attached(Config(home=empty_home)) as config:
        assert config.database_url and config.database_url.startswith("postgresql+psycopg://")
        with psycopg.connect(postgres.url) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("ptdash",)
        assert config.redis_url is None
    assert postgres.running_pid() is None


def test_the_last_one_out_stops_it_whoever_started_it(home: Path, run: Start) -> None:
    first, second = run("command"), run("command")
    assert first.answer() == second.answer()
    postgres = Postgres.of_home(home)
    for program in (first, second):
        assert postgres.answers()
        program.go_on()
        assert program.ended() == 0
    assert postgres.running_pid() is None


def test_a_failing_command_stops_it_too(home: Path) -> None:
    class Failed(Exception):
        pass

    try:
        with attached(Config(home=home)):
            raise Failed
    except Failed:
        pass
    assert Postgres.of_home(home).running_pid() is None


def test_a_terminated_command_stops_it_too(home: Path, run: Start) -> None:
    program = run("command")
    program.answer()
    program.send(signal.SIGTERM)
    assert program.ended() == 128 + signal.SIGTERM
    assert Postgres.of_home(home).running_pid() is None


def test_what_a_killed_command_left_running_is_used_and_stopped_by_the_next(home: Path, run: Start) -> None:
    killed = run("command")
    killed.answer()
    killed.send(signal.SIGKILL)
    killed.ended()
    postgres = Postgres.of_home(home)
    left = postgres.running_pid()
    assert left
    with attached(Config(home=home)):
        assert postgres.running_pid() == left
    assert postgres.running_pid() is None


def test_many_commands_at_once_share_one_server(home: Path, run: Start) -> None:
    programs = [run("command") for _ in range(5)]
    for program in programs:
        program.answer()
        program.go_on()
    assert [program.ended() for program in programs] == [0] * 5
    assert Postgres.of_home(home).running_pid() is None


def test_who_comes_while_the_last_one_out_lets_go_starts_the_server_again(home: Path, run: Start) -> None:
    last_out, transition = Lock(home, "holders"), Lock(home, "transition")
    assert last_out.take()
    program = run("command")
    assert soon(lambda: _taken(transition))
    last_out.close()
    program.answer()
    program.go_on()
    assert program.ended() == 0


def test_who_comes_after_up_was_killed_while_a_command_is_at_work_starts_the_server_again(
    home: Path, up: Start, run: Start
) -> None:
    supervisor, at_work = up(), run("command")
    at_work.answer()
    supervisor.send(signal.SIGKILL)
    supervisor.ended()
    newcomer = run("command")
    newcomer.answer()
    postgres = Postgres.of_home(home)
    assert postgres.answers()
    newcomer.go_on()
    assert newcomer.ended() == 0
    assert postgres.answers()
    at_work.go_on()
    assert at_work.ended() == 0
    assert postgres.running_pid() is None


def _taken(lock: Lock) -> bool:
    free = lock.take()
    lock.release()
    return not free


def test_a_named_database_is_used_and_nothing_is_started(empty_home: Path) -> None:
    with attached(Config(home=empty_home, database_url="postgresql+psycopg://elsewhere/ptdash")) as config:
        assert config.database_url == "postgresql+psycopg://elsewhere/ptdash"
    assert not (empty_home / "postgres").exists()


def test_a_command_uses_database_and_queue_of_a_running_up(home: Path, up: Start) -> None:
    up()
    postgres = Postgres.of_home(home)
    server = postgres.running_pid()
    with attached(Config(home=home)) as config:
        assert postgres.running_pid() == server
        assert config.redis_url and config.redis_url.startswith("unix://")
    assert postgres.running_pid() == server


def test_up_waits_for_the_commands_that_use_its_database(home: Path, up: Start, run: Start) -> None:
    supervisor, program = up(), run("command")
    program.answer()
    supervisor.send(signal.SIGTERM)
    assert soon(lambda: "A command still uses the database" in supervisor.said())
    assert Postgres.of_home(home).answers()
    program.go_on()
    assert program.ended() == 0
    assert supervisor.ended() == 0
    assert Postgres.of_home(home).running_pid() is None


def test_a_second_signal_does_not_wait_for_commands(home: Path, up: Start, run: Start) -> None:
    supervisor, program = up(), run("command")
    program.answer()
    supervisor.send(signal.SIGINT)
    assert soon(lambda: "A command still uses the database" in supervisor.said())
    supervisor.send(signal.SIGINT)
    assert supervisor.ended() == 0
    assert Postgres.of_home(home).running_pid() is None
    program.go_on()
    assert program.ended() == 0


def test_up_starts_once_the_command_that_holds_the_database_has_ended(home: Path, run: Start) -> None:
    program = run("command")
    program.answer()
    supervisor = run("up", "0", "healthy_web", "sleeper")
    assert soon(lambda: "A command uses the database of this home" in supervisor.said())
    program.go_on()
    assert supervisor.line().startswith("ptdash ready on ")
    assert program.ended() == 0
    assert Postgres.of_home(home).answers()


def test_up_stopped_while_it_waits_leaves_the_command_alone(home: Path, run: Start) -> None:
    program = run("command")
    program.answer()
    supervisor = run("up", "0", "healthy_web", "sleeper")
    assert soon(lambda: "A command uses the database of this home" in supervisor.said())
    supervisor.send(signal.SIGINT)
    assert supervisor.ended() == 0
    assert Postgres.of_home(home).answers()
    program.go_on()
    assert program.ended() == 0
    assert Postgres.of_home(home).running_pid() is None
