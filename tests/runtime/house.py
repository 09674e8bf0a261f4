"""Programs that the tests run: `ptdash up` with stand-ins for ptdash's own programs, and a command.

python -m tests.runtime.house up HOME PORT WEB WORKER    WEB and WORKER are names of the stand-ins below
python -m tests.runtime.house command HOME               uses the database until a line comes on stdin
"""

import json
import signal
import sys
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from ptdash.config import Config
from ptdash.domain.errors import DomainError
from ptdash.runtime.attach import attached
from ptdash.runtime.children import Child, environment, program
from ptdash.runtime.up import ill_health, serve

ROOT = Path(__file__).parents[2]


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def healthy_web(port: str) -> None:
    HTTPServer(("127.0.0.1", int(port)), Healthy).serve_forever()


def sleeper(_port: str) -> None:
    sys.stdout.write("at work\n")
    sys.stdout.flush()
    while True:
        signal.pause()


def stubborn(port: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleeper(port)


def hopeless(_port: str) -> None:
    sys.exit("nothing works here")


STAND_INS = {"healthy_web": healthy_web, "sleeper": sleeper, "stubborn": stubborn, "hopeless": hopeless}


def up(home: str, port: str, web: str, worker: str) -> None:
    def children(config: Config, free: int) -> list[Child]:
        this = [sys.executable, "-m", "tests.runtime.house"]
        make = partial(program, env=environment(config), cwd=ROOT)
        return [make("web", [*this, web, str(free)]), make("worker", [*this, worker, str(free)])]

    serve(
        Config(home=Path(home)),
        host="127.0.0.1",
        port=int(port),
        children=children,
        prepare=lambda config: None,
        complaint=ill_health,
        now=datetime.now(UTC),
    )


def command(home: str) -> None:
    with attached(Config(home=Path(home))) as config:
        sys.stdout.write(json.dumps({"database_url": config.database_url, "redis_url": config.redis_url}) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()


def main(what: str, *arguments: str) -> None:
    try:
        {"up": up, "command": command, **STAND_INS}[what](*arguments)
    except DomainError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
