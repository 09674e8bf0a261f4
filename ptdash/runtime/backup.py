"""Everything in one file: the database as one snapshot of it, and the key that signs cookies.

The queue is left out: what is to be done stands in the database, and a sweep enqueues it again.
"""

import json
import os
import shutil
import subprocess  # nosec B404
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import make_url

from ptdash.runtime.errors import BackupFailed, NoBackup, RestoreFailed
from ptdash.runtime.postgres import ENVIRONMENT
from ptdash.runtime.programs import postgres_programs

MANIFEST, DATABASE, KEY = "manifest.json", "database.dump", "secret_key"
FORMAT = 1
# How libpq's environment calls what an address says: a password in an argument is seen by everybody.
VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",  # nosec B105
    "dbname": "PGDATABASE",
}


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself: when it was begun, and the last migration of its tables."""

    taken_at: str
    revision: str
    format: int = FORMAT


def write(file: Path, database_url: str, key: str, manifest: Manifest) -> int:
    """Write a backup; its size in bytes. It appears whole or not at all, and takes an older one's place."""
    try:
        with _draft_of(file) as draft, zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(MANIFEST, json.dumps(asdict(manifest)))
            archive.writestr(KEY, key)
            with archive.open(DATABASE, "w", force_zip64=True) as target:
                _dump(database_url, target)
        return file.stat().st_size
    except OSError as error:
        raise BackupFailed(path=file, reason=error.strerror) from None


@contextmanager
def opened(file: Path) -> Iterator[tuple[Manifest, zipfile.ZipFile]]:
    """A backup whose every byte is as it was written; raises NoBackup where the file is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            if damaged := archive.testzip():
                raise NoBackup(path=file, reason=f"{damaged} in it is damaged")
            manifest = Manifest(**json.loads(archive.read(MANIFEST)))
            if manifest.format != FORMAT:
                raise NoBackup(path=file, reason=f"its format {manifest.format} is not known")
            yield manifest, archive
    except OSError as error:
        raise NoBackup(path=file, reason=error.strerror) from None
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError):
        raise NoBackup(path=file, reason="it is not complete, or something else") from None


def restore_database(archive: zipfile.ZipFile, database_url: str) -> None:
    """Fill an empty database, in one transaction."""
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    argv, environment = _command("pg_restore", database_url)
    argv += [*options, "--dbname", environment["PGDATABASE"]]
    process = _run(argv, environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert process.stdin
    # Who no longer listens says why on its way out.
    with suppress(BrokenPipeError), archive.open(DATABASE) as source:
        shutil.copyfileobj(source, process.stdin)
    if reason := _ended(process):
        raise RestoreFailed(reason=reason)


def restore_key(archive: zipfile.ZipFile, home: Path) -> None:
    """Cookies and reset links of before stay valid."""
    with _draft_of(home / "secret_key") as draft:
        draft.write(archive.read(KEY))


@contextmanager
def _draft_of(file: Path) -> Iterator[IO[bytes]]:
    """A file only its owner can read, which takes its place when everything is in it, and otherwise is gone."""
    number, name = mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(number, "wb") as draft:
            yield draft
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _dump(database_url: str, target: IO[bytes]) -> None:
    argv, environment = _command("pg_dump", database_url)
    argv += ["--format=custom", "--no-owner", "--no-privileges"]
    process = _run(argv, environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert process.stdout
    shutil.copyfileobj(process.stdout, target)
    if reason := _ended(process):
        raise BackupFailed(path="the backup", reason=reason)


def _command(program: str, database_url: str) -> tuple[list[str], dict[str, str]]:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    parts = conninfo_to_dict(url)
    environment = ENVIRONMENT | {name: str(parts.pop(key)) for key, name in VARIABLES.items() if parts.get(key)}
    environment |= {f"PG{key.upper()}": str(value) for key, value in parts.items()}  # sslmode and the like
    return [str(postgres_programs() / program)], environment


def _run(argv: list[str], environment: dict[str, str], **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, **streams)  # nosec B603


def _ended(process: subprocess.Popen[bytes]) -> str | None:
    """Wait for its end; its last words where it failed."""
    _, said = process.communicate()
    lines = (said or b"").decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"exit status {process.returncode}") if process.returncode else None
