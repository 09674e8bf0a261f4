"""Commands that take everything away and bring it back: backup, restore."""

from dataclasses import asdict
from pathlib import Path

import click
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask_migrate import upgrade
from sqlalchemy import inspect, text

from ptdash import create_app
from ptdash.cli.edge import answer, json_option, opened, read_config
from ptdash.config import Config
from ptdash.db import db, transaction
from ptdash.extensions import MIGRATIONS
from ptdash.runtime import backup as backups
from ptdash.runtime.attach import attached
from ptdash.runtime.errors import NewerBackup, NotEmpty
from ptdash.services import audit, moving


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Write everything into FILE: one snapshot of the database, also while ptdash runs, and the home's key."""
    with opened() as edge:
        with transaction() as session:
            revision = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        manifest = backups.Manifest(edge.now.isoformat(timespec="seconds"), revision)
        size = backups.write(file, edge.config.database_url or "", edge.app.config["SECRET_KEY"], manifest)
    document = {"file": str(file), "bytes": size, **asdict(manifest)}
    answer(document, as_json, lambda: f"{file}: {size / 1_000_000:,.1f} MB")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def restore(file: Path, as_json: bool) -> None:
    """Bring back what `ptdash backup` wrote, into an empty home (or the empty database of DATABASE_URL)."""
    with backups.opened(file) as (manifest, archive):
        _refuse_newer(file, manifest.revision)
        with attached(read_config()) as config, create_app(config).app_context():
            _refuse_what_is_there(config)
            backups.restore_database(archive, config.database_url or "")
            backups.restore_key(archive, config.home)
            _settle_in()
    document = {"file": str(file), **asdict(manifest)}
    answer(document, as_json, lambda: f"{file} of {manifest.taken_at} is restored. Verify it with: ptdash check")


def _refuse_newer(file: Path, revision: str) -> None:
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    except CommandError:
        raise NewerBackup(path=file, revision=revision) from None


def _refuse_what_is_there(config: Config) -> None:
    with db.engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise NotEmpty(home=config.home)


def _settle_in() -> None:
    """Bring an older backup's tables up to date, and seal what was not sealed when it was taken."""
    upgrade()
    with transaction() as session:
        moving.settle_in(session)
    with transaction() as session:
        audit.seal(session)


COMMANDS = (backup, restore)
