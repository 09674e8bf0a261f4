"""`ptdash backup` and `ptdash restore`: everything comes back as it was at one instant, or nothing."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copyfileobj

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.cli.test_commands import Outcome, environment, here
from tests.conftest import DATA
from tests.homes import temporary_home


def new_database(server: str, name: str) -> str:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return engine.url.set(database=name).render_as_string(hide_password=False)


def asked(url: str, query: str) -> list[tuple]:
    with create_engine(url).connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture(scope="module")
def house(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home and its database, with the sample in it and one event that is not sealed yet."""
    home, url = tmp_path_factory.mktemp("house"), new_database(database_url, "backed_up")
    assert here(home, "import", str(DATA / "sample"), DATABASE_URL=url).returncode == 0
    return home, url


@pytest.fixture(scope="module")
def taken(house: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup that was begun and ended while 2026-09 was being closed."""
    home, url = house
    file = tmp_path_factory.mktemp("backups") / "ptdash.backup"
    command = [sys.executable, "-m", "ptdash.cli", "close", "2026-09", "--wait"]
    close = subprocess.Popen(
        command, env=environment(home, {"DATABASE_URL": url}), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while close.poll() is None and not asked(url, "SELECT 1 FROM postings LIMIT 1"):
        continue
    written = here(home, "backup", str(file), "--json", DATABASE_URL=url)
    _, said = close.communicate(timeout=120)
    assert close.returncode == 0, said
    assert json.loads(written.stdout)["bytes"] == file.stat().st_size
    return file


def restore(file: Path, home: Path, url: str) -> Outcome:
    return here(home, "restore", str(file), DATABASE_URL=url)


def test_what_a_running_house_gave_away_is_one_instant_of_it(
    taken: Path, house: tuple[Path, str], database_url: str, tmp_path: Path
) -> None:
    """Half-closed as it may be: its books hold, and the close goes on to the same end."""
    url = new_database(database_url, "restored")
    restored = restore(taken, tmp_path, url)
    assert restored.returncode == 0, restored.stderr
    assert 0 < asked(url, "SELECT count(*) FROM postings")[0][0] <= 24
    report = json.loads(here(tmp_path, "check", "--json", DATABASE_URL=url).stdout)
    assert report["ok"], report
    closed = here(tmp_path, "close", "2026-09", "--wait", "--json", DATABASE_URL=url)
    undisturbed = here(house[0], "settlements", "2026-09", "--json", DATABASE_URL=house[1])
    assert json.loads(closed.stdout) == json.loads(undisturbed.stdout)
    assert (tmp_path / "secret_key").read_text() == (house[0] / "secret_key").read_text()
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_backup_comes_back_into_a_home_of_its_own(taken: Path) -> None:
    """With the embedded database, from a home that does not exist yet."""
    with temporary_home() as home:
        home.mkdir()
        assert here(home, "restore", str(taken)).returncode == 0
        assert here(home, "check").returncode == 0
        again = here(home, "restore", str(taken))
    assert (again.returncode, again.stdout) == (1, "")
    assert "tables already" in again.stderr


def test_an_event_of_a_cluster_that_counted_further_is_sealed_in_the_new_one(
    house: tuple[Path, str], database_url: str, tmp_path: Path
) -> None:
    home, url = house
    file = tmp_path / "ptdash.backup"
    far = """INSERT INTO audit_events (xact, at, action, subject, subject_id)
             VALUES ('9000000000', now(), 'a', 'b', 'c')"""
    with create_engine(url).begin() as connection:
        connection.execute(text(far))
    assert here(home, "backup", str(file), DATABASE_URL=url).returncode == 0
    unsealed = (
        "SELECT count(*) FROM audit_events e WHERE NOT EXISTS (SELECT FROM audit_seals WHERE event_id = e.id)"
    )
    assert asked(url, unsealed) == [(1,)]
    new = new_database(database_url, "counted_less")
    assert restore(file, tmp_path, new).returncode == 0
    assert asked(new, unsealed) == [(0,)]
    with pytest.raises(Exception, match="audit_events"), create_engine(new).begin() as connection:
        connection.execute(text("DELETE FROM audit_events"))


@pytest.mark.parametrize("harm", ["not a backup", "cut off", "one byte changed", "no such file", "newer"])
def test_what_is_no_sound_backup_is_refused_and_nothing_is_written(
    harm: str, taken: Path, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "harmed.backup"
    content = bytearray(taken.read_bytes())
    if harm == "not a backup":
        content = bytearray(b"PGDMP")
    elif harm == "cut off":
        content = content[: len(content) // 2]
    elif harm == "one byte changed":
        content[len(content) // 2] ^= 1
    if harm == "newer":
        with zipfile.ZipFile(taken) as old, zipfile.ZipFile(file, "w") as new:
            new.writestr("manifest.json", old.read("manifest.json").replace(b'"revision": "', b'"revision": "9'))
            for name in ("secret_key", "database.dump"):
                with old.open(name) as source, new.open(name, "w") as target:
                    copyfileobj(source, target)
    elif harm != "no such file":
        file.write_bytes(content)
    url = new_database(database_url, f"harmed_{abs(hash(harm))}")
    refused = restore(file, tmp_path, url)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert str(file) in refused.stderr
    assert "Traceback" not in refused.stderr
    assert asked(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    assert not (tmp_path / "secret_key").exists()


def test_a_backup_that_fails_leaves_the_old_one_alone(house: tuple[Path, str], tmp_path: Path) -> None:
    file = tmp_path / "ptdash.backup"
    file.write_text("the old one")
    broken = here(house[0], "backup", str(file), DATABASE_URL=str(make_url(house[1]).set(database="nowhere")))
    assert broken.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["ptdash.backup"]
    assert file.read_text() == "the old one"
