"""Logs of children: whole lines, and no more than two files of a size."""

import os
from pathlib import Path

import pytest

from ptdash.runtime.logs import Log, Stream, last_line


def test_a_full_log_is_moved_aside_and_the_one_before_is_dropped(tmp_path: Path) -> None:
    log = Log(tmp_path / "web.log", limit=10)
    for line in (b"first\n", b"second\n", b"third\n", b"fourth\n"):
        log.write(line)
    log.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log": "fourth\n",
        "web.log.1": "third\n",
    }


def test_what_a_child_says_in_pieces_is_passed_on_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reading, writing = os.pipe()
    log = Log(tmp_path / "web.log")
    stream = Stream("web", reading, log)
    for piece in (b"one l", b"ine\nand an", b"other"):
        os.write(writing, piece)
        assert stream.pump()
    os.close(writing)
    assert not stream.pump()
    stream.close()
    log.close()
    assert capsys.readouterr().err == "web       | one line\nweb       | and another\n"
    assert (tmp_path / "web.log").read_text() == "one line\nand another\n"


def test_the_last_line_of_a_log_that_is_not_there(tmp_path: Path) -> None:
    assert last_line(tmp_path / "none.log") == "it said nothing"
