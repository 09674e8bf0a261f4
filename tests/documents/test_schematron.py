"""The program with the rules: shared by forks, started again where it died, gone when nobody is left."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ptdash.documents import schematron

INVOICE = (Path(__file__).parent.parent / "data" / "invoice.xml").read_bytes()


def test_whoever_is_forked_asks_the_same_program():
    before = schematron.report(INVOICE)
    number = os.fork()
    if not number:
        os._exit(0 if schematron.report(INVOICE) == before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == 0


def test_a_fork_that_dies_with_its_question_disturbs_nobody():
    before = schematron.report(INVOICE)
    number = os.fork()
    if not number:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        while True:
            schematron.report(INVOICE)
    assert os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) == -signal.SIGALRM
    assert schematron.report(INVOICE) == before


def test_a_program_that_died_is_started_again():
    before = schematron.report(INVOICE)
    for process in programs():
        os.kill(process, signal.SIGKILL)
    assert schematron.report(INVOICE) == before


@pytest.mark.parametrize("death", [signal.SIGTERM, signal.SIGKILL])
def test_the_program_ends_with_the_last_one_who_could_ask(death: signal.Signals):
    code = f"""
import os, sys
from ptdash.documents import schematron
schematron.report(open({str(Path(__file__).parent.parent / "data" / "invoice.xml")!r}, 'rb').read())
print("asked", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asker:
        assert asker.stdout and asker.stdout.readline() == b"asked\n"
        (process,) = programs(asker.pid)
        watch = os.pidfd_open(process)
        asker.send_signal(death)
        asker.wait()
    assert select.select([watch], [], [], 30)[0], "the program still runs"
    os.close(watch)


def programs(parent: int | None = None) -> list[int]:
    """The programs that a process has started (Linux tells)."""
    children = Path(f"/proc/{parent or os.getpid()}/task/{parent or os.getpid()}/children").read_text().split()
    return [int(c) for c in children if b"schematron" in Path(f"/proc/{c}/cmdline").read_bytes()]
