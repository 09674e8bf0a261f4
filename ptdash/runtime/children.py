"""What the supervisor runs: the two servers and ptdash's own programs."""

import os
import signal
import subprocess  # nosec B404
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ptdash.config import Config
from ptdash.runtime.postgres import Postgres
from ptdash.runtime.processes import die_with_parent
from ptdash.runtime.valkey import Valkey

WEB_PROCESSES = 2
WEB_THREADS = 8
WEB_GRACE_SECONDS = 5


def _at_once() -> bool:
    return True


@dataclass(frozen=True)
class Child:
    """A process to keep alive: how to start it with its output going to a file descriptor, and how to end it."""

    name: str
    spawn: Callable[[int], "subprocess.Popen[bytes]"]
    ready: Callable[[], bool] = _at_once
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 30


def program(
    name: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path, ready: Callable[[], bool] = _at_once
) -> Child:
    """A program of ours, in a session of its own, that ends with the supervisor however that ends."""

    def spawn(output: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # nosec B603
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env=dict(env),
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    return Child(name, spawn, ready)


def postgres_child(postgres: Postgres) -> Child:
    def spawn(output: int) -> "subprocess.Popen[bytes]":
        postgres.prepare()
        return postgres.spawn(output, dies_with_us=signal.SIGINT)

    return Child("postgres", spawn, postgres.answers, signal.SIGINT, stop_seconds=60)


def valkey_child(valkey: Valkey) -> Child:
    return Child("valkey", partial(valkey.spawn, dies_with_us=signal.SIGTERM), valkey.answers)


def web_argv(host: str, port: int) -> list[str]:
    """The web server; also for `ptdash web`, which replaces itself with it."""
    options = {
        "--bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "--worker-class": "gthread",
        "--workers": str(WEB_PROCESSES),
        "--threads": str(WEB_THREADS),
        "--graceful-timeout": str(WEB_GRACE_SECONDS),
    }
    arguments = [part for option in options.items() for part in option]
    return [sys.executable, "-m", "gunicorn", *arguments, "--no-control-socket", "ptdash:create_app()"]


def programs(config: Config, *, host: str, port: int, workers: int) -> list[Child]:
    """Web server, scheduler and workers on this configuration, which names database, queue and key."""
    env = environment(config)
    ptdash = [sys.executable, "-m", "ptdash.cli"]
    make = partial(program, env=env, cwd=config.home)
    return [
        make("web", web_argv(host, port)),
        make("scheduler", [*ptdash, "scheduler"]),
        *(make(f"worker-{number}", [*ptdash, "worker"]) for number in range(1, workers + 1)),
    ]


def environment(config: Config) -> dict[str, str]:
    """What a child needs to know, so that it asks nobody else."""
    return os.environ | {
        "PTDASH_HOME": str(config.home),
        "PTDASH_DEMO": "1" if config.demo else "0",
        "DATABASE_URL": config.database_url or "",
        "REDIS_URL": config.redis_url or "",
        "SECRET_KEY": config.secret_key or "",
        "PYTHONUNBUFFERED": "1",
    }
