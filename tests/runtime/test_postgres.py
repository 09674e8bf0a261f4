"""The embedded PostgreSQL: what it is like inside, and what it survives."""

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ptdash.runtime import home as homes
from ptdash.runtime.account import Account
from ptdash.runtime.errors import DataOfAnotherVersion
from ptdash.runtime.postgres import Postgres, temporary_cluster
from ptdash.runtime.programs import copy_programs, postgres_programs
from tests.runtime.conftest import kill

STRANGER = Account(uid=54321, gid=54321)


@pytest.fixture
def postgres(home: Path) -> Iterator[Postgres]:
    """The stopped cluster of a home; whatever runs of it is ended."""
    cluster = Postgres.of_home(home)
    yield cluster
    cluster.stop(signal.SIGQUIT)


def start(postgres: Postgres, home: Path) -> None:
    postgres.start(home / "log" / "postgres.log")


def ask(postgres: Postgres, question: str) -> object:
    with psycopg.connect(postgres.url) as connection:
        row = connection.execute(question).fetchone()  # type: ignore[call-overload]
        return row[0] if row else None


def test_it_is_an_empty_database_in_utf8_and_utc_that_sorts_by_code_point(home: Path, postgres: Postgres) -> None:
    start(postgres, home)
    assert ask(postgres, "SELECT current_database()") == "ptdash"
    assert ask(postgres, "SELECT getdatabaseencoding()") == "UTF8"
    assert ask(postgres, "SELECT current_setting('TimeZone')") == "UTC"
    facts = "SELECT (datlocprovider, datlocale)::text FROM pg_database WHERE datname = 'ptdash'"
    assert ask(postgres, facts) == "(b,C.UTF-8)"
    assert ask(postgres, "SELECT upper('ä')") == "Ä"
    assert ask(postgres, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace") == 0


def test_the_extensions_load(home: Path, postgres: Postgres) -> None:
    start(postgres, home)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE EXTENSION pg_trgm")


def test_it_listens_on_a_private_socket_only(home: Path, postgres: Postgres) -> None:
    start(postgres, home)
    assert ask(postgres, "SELECT current_setting('listen_addresses')") == ""
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.data.stat().st_mode) == 0o700


def test_it_never_runs_as_root(home: Path, postgres: Postgres) -> None:
    start(postgres, home)
    assert (postgres.data / "postmaster.pid").stat().st_uid != 0


def test_it_starts_again_after_it_was_killed_and_keeps_what_was_committed(home: Path, postgres: Postgres) -> None:
    start(postgres, home)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    kill(postgres.running_pid())
    start(postgres, home)
    assert ask(postgres, "SELECT n FROM kept") == 7


def test_a_pid_that_belongs_to_somebody_else_by_now_does_not_stop_it(home: Path, postgres: Postgres) -> None:
    stale = f"{os.getpid()}\n{postgres.data}\n0\n5432\n{postgres.sockets}\n\n\nready\n"
    for file in (postgres.data / "postmaster.pid", postgres.sockets / ".s.PGSQL.5432.lock"):
        file.write_text(stale)
        if postgres.account:
            os.chown(file, postgres.account.uid, postgres.account.gid)
    assert postgres.running_pid() is None
    start(postgres, home)
    assert postgres.answers()


def test_data_of_another_version_is_refused_with_both_versions(postgres: Postgres) -> None:
    (postgres.data / "PG_VERSION").write_text("16\n")
    with pytest.raises(DataOfAnotherVersion, match=r"written by PostgreSQL 16; this ptdash brings PostgreSQL 18"):
        postgres.prepare()


def test_an_interrupted_beginning_does_not_count(empty_home: Path) -> None:
    postgres = Postgres.of_home(empty_home)
    half = homes.private_directory(postgres.data.with_name("postgres.new"), postgres.account)
    (half / "PG_VERSION").write_text("18\n")
    postgres.prepare()
    assert (postgres.data / "global" / "pg_control").exists()
    assert not half.exists()


def test_a_temporary_cluster_leaves_nothing(tmp_path: Path) -> None:
    with temporary_cluster(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_setting('fsync')").fetchone() == ("off",)
        directory = Path(str(connection.execute("SELECT current_setting('data_directory')").fetchone()[0]))
    assert not directory.exists()


def test_a_home_that_is_closed_to_the_servers_account_keeps_its_data_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    state = tmp_path / "state"
    data = homes.database_directory(home, STRANGER, state)
    assert data == state / homes.digest(home) / "postgres"
    assert (home / "postgres").readlink() == data
    assert homes.database_directory(home, STRANGER, state) == data
    assert stat.S_IMODE(data.parent.stat().st_mode) == 0o711


def test_an_account_reaches_only_where_every_directory_lets_it_pass(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "open"
    inner.mkdir(parents=True)
    inner.chmod(0o755)
    inner.parent.chmod(0o700)
    assert not STRANGER.reaches(inner)
    assert STRANGER.reaches(Path("/"))


def test_a_copy_of_the_programs_runs_and_everybody_can_read_it(tmp_path: Path) -> None:
    package = copy_programs(postgres_programs().parents[1], tmp_path / "copy")
    found = subprocess.run(
        [package / "pginstall/bin/initdb", "--version"], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith("initdb (PostgreSQL) 18")
    assert all(path.stat().st_mode & 0o004 for path in (tmp_path / "copy").rglob("*"))
