"""The home: its key, its sockets, and what is refused."""

import os
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ptdash.runtime import home as homes
from ptdash.runtime.errors import HomeNotWritable, HomeWasMoved, UnsafeDirectory


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    key = homes.secret_key(tmp_path / "home")
    assert len(key) == 64
    assert homes.secret_key(tmp_path / "home") == key
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600


def test_processes_that_make_the_secret_key_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(homes.secret_key, [tmp_path / "home"] * 8))
    assert len(set(keys)) == 1
    assert [path.name for path in (tmp_path / "home").glob("*secret*")] == ["secret_key"]


def test_a_socket_lies_in_the_home_where_the_path_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/tmp")
    home = homes.ensure(Path(f"/tmp/ptdash-short-{os.getpid()}"))
    try:
        assert homes.socket_directory(home, "postgres") == home / "run" / "postgres"
    finally:
        for directory in ("run/postgres", "run", "log", ""):
            (home / directory).rmdir()


@pytest.mark.parametrize("name", ["deep/" * 25, "a home, with spaces", "größer"])
def test_a_home_too_long_or_too_odd_for_a_socket_gets_a_private_directory_elsewhere(
    tmp_path: Path, name: str
) -> None:
    home = homes.ensure(tmp_path / name)
    directory = homes.socket_directory(home, "postgres")
    try:
        assert not directory.is_relative_to(tmp_path)
        assert homes.socket_directory(home, "postgres") == directory
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        with socket.socket(socket.AF_UNIX) as listener:
            path = directory / homes.LONGEST_SOCKET_NAME
            listener.bind(str(path))
            path.unlink()
    finally:
        directory.rmdir()


def test_a_directory_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(UnsafeDirectory):
        homes.private_directory(tmp_path / "open")


def test_a_link_in_the_place_of_a_private_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UnsafeDirectory):
        homes.private_directory(tmp_path / "link")


def test_a_home_that_was_copied_with_a_link_to_its_database_is_refused(tmp_path: Path) -> None:
    home = homes.ensure(tmp_path / "home")
    (home / "postgres").symlink_to(tmp_path / "the first home's data")
    with pytest.raises(HomeWasMoved):
        homes.database_directory(home, None)


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HomeNotWritable, match="Set PTDASH_HOME"):
        homes.ensure(tmp_path / "file" / "home")
