"""The embedded Valkey: private, durable, and never dropping what it took."""

import signal
import stat
from pathlib import Path

from redis import Redis

from ptdash.runtime.processes import wait_until
from ptdash.runtime.valkey import Valkey, temporary_valkey
from tests.runtime.conftest import soon


def test_it_listens_on_a_private_socket_only_and_forgets_nothing(empty_home: Path) -> None:
    valkey = Valkey.of_home(empty_home)
    with (empty_home / "log" / "valkey.log").open("wb") as log:
        process = valkey.spawn(log.fileno(), dies_with_us=signal.SIGKILL)
    try:
        assert soon(valkey.answers)
        assert valkey.running_pid() == process.pid
        with Redis.from_url(valkey.url) as client:
            settings = client.config_get("port", "appendonly", "maxmemory-policy")
        assert settings == {"port": "0", "appendonly": "yes", "maxmemory-policy": "noeviction"}
        assert stat.S_IMODE(valkey.sockets.stat().st_mode) == 0o700
        assert stat.S_IMODE(valkey.data.stat().st_mode) == 0o700
    finally:
        valkey.stop()
        process.wait()
    assert valkey.running_pid() is None


def test_a_temporary_server_leaves_nothing(tmp_path: Path) -> None:
    with temporary_valkey(tmp_path) as url, Redis.from_url(url) as client:
        assert client.ping()
        directory = Path(client.config_get("dir")["dir"])
    assert wait_until(lambda: not directory.exists(), 5)
