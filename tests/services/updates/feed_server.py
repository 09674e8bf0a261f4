"""A vendor's server for tests: it answers, redirects, drips, breaks off, and counts who asked."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FEEDS = Path(__file__).parents[2] / "data" / "feeds"
CERTIFICATE = FEEDS / "feeds.example.pem"


@dataclass
class Server:
    """`bodies` by path; `redirects` by path; `asked`: the path and Host of every request."""

    port: int
    bodies: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def url(self, path: str = "/feed", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def serving(*, tls: bool = False) -> Iterator[Server]:
    """On 127.0.0.1, which a feed may only be read from where a test allows it."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    server = Server(httpd.server_port, {"/" + path.name: path.read_bytes() for path in FEEDS.glob("vendor.*")})
    httpd.server = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Server = self.server.server  # type: ignore[attr-defined]
        server.asked.append((self.path, self.headers["Host"]))
        if self.path in server.redirects:
            self.send_response(302)
            self.send_header("Location", server.redirects[self.path])
            self.end_headers()
        elif self.path == "/drip":
            self._drip()
        elif self.path == "/broken-off":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"<rss")
        elif self.path in server.bodies:
            body = server.bodies[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._write(body)
        else:
            self.send_error(404)

    def _drip(self) -> None:
        """A byte now and then, for ever: until the reader has had enough."""
        self.send_response(200)
        self.end_headers()
        while self._write(b" "):
            threading.Event().wait(0.02)

    def _write(self, body: bytes) -> bool:
        try:
            self.wfile.write(body)
        except OSError:
            return False
        return True

    def log_message(self, *_: Any) -> None:
        """Quiet."""
