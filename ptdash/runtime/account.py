"""As root: the unprivileged account that PostgreSQL needs, and what this account can reach."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = 0
NOBODY = 65534


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    def run_as(self) -> dict[str, Any]:
        """Arguments of subprocess that start a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def reaches(self, directory: Path) -> bool:
        """Whether every directory down to this one lets the account pass."""
        directory = directory.resolve()
        return all(self._may(path, 0o1) for path in (directory, *directory.parents))

    def reads(self, file: Path) -> bool:
        return self.reaches(file.parent) and self._may(file, 0o4)

    def _may(self, path: Path, wanted: int) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (found.st_mode >> shift) & wanted == wanted


def server_account(data: Path) -> Account | None:
    """None for an ordinary user, who runs the server himself; for root whoever owns the data, else `nobody`."""
    if os.geteuid() != ROOT:
        return None
    if data.exists() and data.stat().st_uid != ROOT:
        return Account(data.stat().st_uid, data.stat().st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return Account(NOBODY, NOBODY)
    return Account(nobody.pw_uid, nobody.pw_gid)
