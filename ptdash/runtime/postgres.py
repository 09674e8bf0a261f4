"""The embedded PostgreSQL: its files, its process, its database. No TCP, one private unix socket."""

import os
import shutil
import signal
import subprocess  # nosec B404
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psycopg

from ptdash.runtime import home as homes
from ptdash.runtime.account import Account, server_account
from ptdash.runtime.errors import DataOfAnotherVersion, ServerDidNotStart
from ptdash.runtime.logs import last_line
from ptdash.runtime.processes import die_with_parent, exists, runs_in, wait_until
from ptdash.runtime.programs import postgres_programs

NAME = "ptdash"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
UNSAFE_BUT_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Long enough to replay the log after a crash; a server that ends by itself is noticed at once.
START_SECONDS = 300
STOP_SECONDS = 60
START_ATTEMPTS = 10
RETRY_SECONDS = 0.5


@dataclass
class Postgres:
    """One cluster. As root its files belong to `account`, which runs it."""

    data: Path
    sockets: Path
    account: Account | None = None
    durable: bool = True

    @classmethod
    def of_home(cls, home: Path) -> "Postgres":
        """The home's cluster, wherever its files and its socket have to be."""
        account = server_account(home / "postgres")
        data = homes.database_directory(homes.ensure(home), account)
        return cls(data, homes.socket_directory(home, "postgres", account), account)

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self._socket_in_use()), safe='')}"

    def prepare(self) -> None:
        """Make the files where there are none; refuse another version's; forget a dead server's pid."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        found = (self.data / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "-V").split()[-1].split(".")[0]
        if found != ours:
            raise DataOfAnotherVersion(path=self.data, found=found, ours=ours)
        self._forget_strangers_pid()

    def argv(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": f'"{self.sockets}"'}
        settings |= {} if self.durable else UNSAFE_BUT_FAST
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(postgres_programs(self.account) / "postgres"), "-D", str(self.data), *options]

    def spawn(self, output: IO[bytes] | int, *, dies_with_us: signal.Signals | None) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own: a Ctrl-C at the terminal does not reach it."""
        return subprocess.Popen(  # nosec B603
            self.argv(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
            preexec_fn=die_with_parent(dies_with_us) if dies_with_us else None,
            **(self.account.run_as() if self.account else {}),
        )

    def running_pid(self) -> int | None:
        """The living server of these files, also one that starts, stops or was started by somebody else."""
        pid = _first_number(self.data / "postmaster.pid")
        return pid if pid and runs_in(pid, self.data) else None

    def is_over(self) -> bool:
        """Whether surely no server has these files: one that ends takes its pid file away, unless it is killed."""
        return not (self.data / "postmaster.pid").exists()

    def answers(self) -> bool:
        """Whether it takes connections; while it starts it is not asked, which would only fill its log."""
        lines = self._pid_file()
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        try:
            with self._connect() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self) -> None:
        with self._connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {NAME}")

    def start(self, log: Path, *, dies_with_us: signal.Signals | None = None) -> None:
        """Start the server and wait until it answers; without `dies_with_us` it outlives this process.

        The first attempts after a crash may fail while processes of the dead server still go away.
        """
        self.prepare()
        for _ in range(START_ATTEMPTS):
            with log.open("ab") as output:
                process = self.spawn(output, dies_with_us=dies_with_us)
            if not wait_until(partial(self._ended_or_answers, process), START_SECONDS):
                break
            if process.poll() is None:
                self.ensure_database()
                # Not waited for: whoever leaves the home last stops it.
                process.returncode = 0
                return
            wait_until(lambda: False, RETRY_SECONDS)
        raise ServerDidNotStart(server="PostgreSQL", reason=last_line(log))

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server of these files, whoever started it; SIGINT ends its sessions and writes everything."""
        pid = self.running_pid()
        if pid is None:
            return
        os.kill(pid, how)
        if not wait_until(lambda: self._gone(pid), STOP_SECONDS):
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self._gone(pid), STOP_SECONDS)

    def _ended_or_answers(self, process: subprocess.Popen[bytes]) -> bool:
        return process.poll() is not None or self.answers()

    def _gone(self, pid: int) -> bool:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return not runs_in(pid, self.data)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._socket_in_use()), user=NAME, dbname="postgres", connect_timeout=5, autocommit=True
        )

    def _socket_in_use(self) -> Path:
        """A running server says where it listens: the environment that chose the place may have changed since."""
        lines = self._pid_file()
        return Path(lines[4]) if len(lines) > 4 and lines[4] else self.sockets

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _forget_strangers_pid(self) -> None:
        """After a restart of the machine a dead server's number may be a stranger's; PostgreSQL would give up.

        A number that nobody has is left to PostgreSQL, which looks more closely.
        """
        for file in (self.data / "postmaster.pid", self.sockets / f"{homes.LONGEST_SOCKET_NAME}.lock"):
            pid = _first_number(file)
            if pid and exists(pid) and not runs_in(pid, self.data):
                file.unlink()

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there whole: an interrupted one never counts."""
        draft = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        homes.private_directory(draft, self.account)
        options = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        options += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        self._run("initdb", "-D", str(draft), *options, *([] if self.durable else ["--no-sync"]))
        draft.rename(self.data)

    def _run(self, program: str, *arguments: str) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(  # nosec B603
            [str(postgres_programs(self.account) / program), *arguments],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=ENVIRONMENT,
            **(self.account.run_as() if self.account else {}),
        )
        if done.returncode:
            raise ServerDidNotStart(server="PostgreSQL", reason=f"{program}: {done.stderr.strip()}")
        return done.stdout


def _first_number(file: Path) -> int | None:
    """The server's number in one of its lock files; standing alone it is negative."""
    try:
        return abs(int(file.read_text().split(maxsplit=1)[0]))
    except (OSError, ValueError, IndexError):
        return None


@contextmanager
def temporary_cluster(directory: Path) -> Iterator[str]:
    """A fast, forgetful cluster with an empty database for tests: gives its URL, ends it on leaving.

    Where the server's account cannot reach `directory` (root, and pytest's private ones) it lives elsewhere.
    """
    account = server_account(directory)
    with tempfile.TemporaryDirectory(prefix="ptdash-") as place:
        if account:
            Path(place).chmod(0o711)
        where = Path(place)
        postgres = Postgres(where / "data", homes.socket_directory(where, "pg", account), account, durable=False)
        postgres.start(directory / "postgres.log", dies_with_us=signal.SIGQUIT)
        try:
            yield postgres.url
        finally:
            postgres.stop(signal.SIGQUIT)
