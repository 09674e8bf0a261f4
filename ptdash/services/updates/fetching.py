"""Fetching a vendor's feed: from a public address only, whatever the name resolves to and wherever it redirects.

The address is looked up once, checked, and then connected to; a name that resolves to another address a moment
later (DNS rebinding) changes nothing. Every redirect is checked in the same way.
"""

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict

from ptdash.domain.errors import Conflict, Invalid

MOST_BYTES = 2 * 1024 * 1024
MOST_REDIRECTS = 3
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
WHOLE_SECONDS = 30.0
CHUNK = 16 * 1024
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/json, text/xml, */*;q=0.1"

Address = IPv4Address | IPv6Address


class SourceRefused(Invalid):
    message = "A feed is read from an address that begins with https:// or http://, or from a file in %(folder)s."


class AddressRefused(Invalid):
    message = (
        "%(host)s leads to a local or private address (%(address)s). Feeds are read from public addresses only."
    )


class HostUnknown(Conflict):
    message = "%(host)s cannot be found. Check the address."


class FetchFailed(Conflict):
    message = "%(host)s cannot be reached: %(why)s"


class AnswerRefused(Conflict):
    message = "%(host)s answers with status %(status)s instead of a feed."


class TooManyRedirects(Conflict):
    message = "%(host)s redirects more than %(most)s times."


class FeedTooLarge(Conflict):
    message = "The feed is larger than %(most)s MB."


class FeedTooSlow(Conflict):
    message = "The feed took longer than %(most)s seconds."


class FileMissing(Conflict):
    message = "There is no readable file %(name)s in %(folder)s."


@dataclass(frozen=True)
class Allowance:
    """What is possible beyond public addresses. The house allows nothing more; tests name their own server's."""

    addresses: Collection[str] = ()
    certificates: str | bool = True
    names: dict[str, list[str]] = field(default_factory=dict)
    whole_seconds: float = WHOLE_SECONDS


NOTHING_MORE = Allowance()


def load(source: str, folder: Path, allowance: Allowance = NOTHING_MORE) -> bytes:
    """What a feed's source holds: an address, or the name of a file in the house's folder for feeds.

    Raises SourceRefused, FileMissing, FeedTooLarge, and what `fetch` raises.
    """
    if is_address(source):
        return fetch(source, allowance)
    path = (folder / source).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SourceRefused(folder=folder.name)
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        raise FileMissing(name=source, folder=folder.name) from None
    if len(content) > MOST_BYTES:
        raise FeedTooLarge(most=MOST_BYTES // 1024 // 1024)
    return content


def is_address(source: str) -> bool:
    return "://" in source


def fetch(url: str, allowance: Allowance = NOTHING_MORE) -> bytes:
    """The body behind an address, at most 2 MB and within 30 seconds.

    Raises SourceRefused, AddressRefused, HostUnknown, FetchFailed, AnswerRefused, TooManyRedirects, FeedTooLarge,
    FeedTooSlow.
    """
    until = time.monotonic() + allowance.whole_seconds
    for _ in range(MOST_REDIRECTS + 1):
        host = split(url).hostname or ""
        with _Pinned(url, allowance) as response:
            target = response.headers.get("Location")
            if not (response.is_redirect and target):
                return _read(response, host, until)
        url = urljoin(url, target)
        if time.monotonic() > until:
            raise FeedTooSlow(most=int(allowance.whole_seconds))
    raise TooManyRedirects(host=host, most=MOST_REDIRECTS)


def split(url: str) -> Any:
    """The parts of an address that a feed may have. Raises SourceRefused."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in PORTS and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise SourceRefused(folder="feeds")
    return parts


def public_address(host: str, port: int, allowance: Allowance = NOTHING_MORE) -> Address:
    """The one address that is connected to. Where a name has a single private address among others, none of them
    is trusted. Raises HostUnknown, AddressRefused."""
    try:
        found = allowance.names.get(host) or _resolve(host, port)
    except (OSError, UnicodeError):
        raise HostUnknown(host=host) from None
    addresses = [ip_address(text.partition("%")[0]) for text in found]
    for address in addresses:
        if str(address) not in allowance.addresses and not is_public(address):
            raise AddressRefused(host=host, address=address)
    if not addresses:
        raise HostUnknown(host=host)
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet; an IPv6 address that carries an IPv4 one is as public as
    that one."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


class _Pinned:
    """A response from the address that was checked, asked for by the name: certificate and Host are the name's."""

    def __init__(self, url: str, allowance: Allowance) -> None:
        parts = split(url)
        self.host = str(parts.hostname)
        port = parts.port or PORTS[parts.scheme]
        address = public_address(self.host, port, allowance)
        at = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
        self.url = urlunsplit((parts.scheme, f"{at}:{port}", parts.path or "/", parts.query, ""))
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy that would look the name up again, no password of a .netrc
        self.session.verify = allowance.certificates
        self.session.mount("https://", _NamedAdapter(self.host))
        self.session.headers = CaseInsensitiveDict(
            {"Host": parts.netloc, "Accept": ACCEPT, "Accept-Encoding": "identity", "User-Agent": "ptdash"}
        )

    def __enter__(self) -> requests.Response:
        try:
            return self.session.get(
                self.url, stream=True, allow_redirects=False, timeout=(CONNECT_SECONDS, READ_SECONDS)
            )
        except requests.RequestException as error:
            self.session.close()
            raise FetchFailed(host=self.host, why=_why(error)) from None

    def __exit__(self, *_: object) -> None:
        self.session.close()


class _NamedAdapter(HTTPAdapter):
    """Connects to an address and checks the certificate of a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, server_hostname=self.name, assert_hostname=self.name, **kwargs)


def _read(response: requests.Response, host: str, until: float) -> bytes:
    """Piece by piece as it comes in, so that neither a large nor a slow answer is waited for to its end."""
    if response.status_code != 200:
        raise AnswerRefused(host=host, status=response.status_code)
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchFailed(host=host, why=response.headers["Content-Encoding"])
    body = bytearray()
    while True:
        try:
            piece = response.raw.read1(CHUNK)
        except Exception as error:
            raise FetchFailed(host=host, why=_why(error)) from None
        body += piece
        if len(body) > MOST_BYTES:
            raise FeedTooLarge(most=MOST_BYTES // 1024 // 1024)
        if time.monotonic() > until:
            raise FeedTooSlow(most=int(WHOLE_SECONDS))
        if not piece:
            return bytes(body)


def _why(error: BaseException) -> str:
    """The innermost reason in its own words, without addresses of objects."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return (str(error) or type(error).__name__)[:200]
