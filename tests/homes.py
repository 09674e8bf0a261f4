"""Homes for tests. As root the database runs as another account, which cannot enter pytest's own directories;
a home there would keep its database under /var/lib, where no test cleans up."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_home() -> Iterator[Path]:
    """The path of a home that does not exist yet, in a directory that the servers' account can pass."""
    with tempfile.TemporaryDirectory(prefix="ptdash-test-", ignore_cleanup_errors=True) as place:
        Path(place).chmod(0o711)
        yield Path(place) / "home"
