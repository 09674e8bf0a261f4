"""Where a request comes from, for the limits on attempts."""

import pytest
from flask import Flask

from ptdash.extensions import client_address


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "invented, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", None, "127.0.0.1"),
    ],
)
def test_only_a_proxy_on_this_machine_may_name_the_client(
    migrated_app: Flask, peer: str, forwarded: str | None, address: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with migrated_app.test_request_context(environ_base={"REMOTE_ADDR": peer}, headers=headers):
        assert client_address() == address
