"""The home: which directories it has, and what lies elsewhere because it does not fit there."""

import hashlib
import os
import re
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from ptdash.runtime.account import Account
from ptdash.runtime.errors import HomeNotWritable, HomeWasMoved, NoPlaceForSockets, UnsafeDirectory

# The kernel's limit is 107 bytes on Linux and 103 on macOS, for the whole path of the socket.
LONGEST_SOCKET_BYTES = 103
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
# libpq reads a comma as a list of hosts, and URLs have their own opinion on most other characters.
PLAIN_PATH = re.compile(r"[\w./+-]+", re.ASCII)
# Root's own directories are closed to the account that runs the database; this place is open to it.
ROOTS_STATE = Path("/var/lib/ptdash")


def ensure(home: Path) -> Path:
    """The home, made where it does not exist; private, but for root, whose database runs as somebody else."""
    try:
        open_directory(home) if os.geteuid() == 0 else home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "log").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise HomeNotWritable(path=home, reason=error.strerror) from None
    return home


def secret_key(home: Path) -> str:
    """The key that signs cookies: made once, readable by its owner only."""
    path = ensure(home) / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=home, prefix=".secret_key-") as draft:
            draft.write(secrets.token_hex(32))
            draft.flush()
            # A link appears at once and whole, and the first of two processes wins.
            with suppress(FileExistsError):
                path.hardlink_to(draft.name)
    return path.read_text()


def digest(home: Path) -> str:
    """A short name for a home, for places outside of it."""
    return hashlib.sha256(os.fsencode(home.absolute())).hexdigest()[:12]


def database_directory(home: Path, account: Account | None, state: Path = ROOTS_STATE) -> Path:
    """Where the database's files are: in the home, or where root's home is closed to the server behind a link."""
    data = home / "postgres"
    elsewhere = state / digest(home) / "postgres"
    if data.is_symlink():
        if data.readlink() != elsewhere:
            raise HomeWasMoved(link=data, target=data.readlink())
    elif account and not account.reaches(home):
        open_directory(elsewhere.parent)
        data.symlink_to(elsewhere)
    return data.resolve()


def socket_directory(home: Path, name: str, account: Account | None = None) -> Path:
    """A private directory for one server's socket: in the home where the path is short and plain enough."""
    inside = home / "run"
    if _fits(inside / name) and (not account or account.reaches(home)):
        open_directory(inside)
        return private_directory(inside / name, account)
    for base in filter(None, (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")):  # nosec B108
        directory = Path(base) / f"ptdash-{digest(home)}-{name}"
        usable = os.access(base, os.W_OK | os.X_OK) and (not account or account.reaches(Path(base)))
        if usable and _fits(directory):
            return private_directory(directory, account)
    raise NoPlaceForSockets(home=home)


def open_directory(path: Path) -> None:
    """A directory that others may pass but not list, as all that is made on the way; whatever the umask says."""
    for missing in [parent for parent in (*reversed(path.parents), path) if not parent.exists()]:
        missing.mkdir(exist_ok=True)
        missing.chmod(0o711)


def private_directory(path: Path, account: Account | None = None) -> Path:
    """A directory of ours that nobody else can enter; one that somebody else prepared is refused."""
    owner = account.uid if account else os.geteuid()
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        if account:
            os.chown(path, account.uid, account.gid)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise UnsafeDirectory(path=path, owner=f"user {owner}")
    return path


def _fits(directory: Path) -> bool:
    path = str(directory / LONGEST_SOCKET_NAME)
    return len(os.fsencode(path)) <= LONGEST_SOCKET_BYTES and PLAIN_PATH.fullmatch(path) is not None
