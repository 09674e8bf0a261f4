"""From a feed's bytes to what it says of updates: RSS and Atom, JSON Feed, or a plain list in JSON."""

import json
import re
from dataclasses import dataclass
from datetime import date
from html import unescape
from io import BytesIO
from typing import Any

import feedparser

from ptdash.domain.errors import Conflict
from ptdash.domain.updates import Severity

MOST_ITEMS = 500
KB = re.compile(r"\bKB\s?(\d{6,8})\b", re.IGNORECASE)
VERSION = re.compile(r"\bv?(\d+(?:\.\d+)+(?:[._-]\d+)*)\b", re.IGNORECASE)
TAGS = re.compile(r"<[^>]*>")
EDGES = " \t\n-–—:,;()[]|"
DAYS = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


class FeedUnreadable(Conflict):
    message = "This is neither RSS or Atom nor JSON: nothing in it can be read as an update."


@dataclass(frozen=True)
class Item:
    """What a feed says of an update. Empty is what it does not say; `products` are names."""

    title: str
    version: str
    kb_number: str = ""
    released_on: date | None = None
    link: str = ""
    description: str = ""
    severity: Severity | None = None
    vendor: str = ""
    products: tuple[str, ...] = ()


def parse(content: bytes) -> list[Item]:
    """The newest 500 entries of a feed; what names no version is left out. Raises FeedUnreadable."""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    entries = _json(content) if start in (b"{", b"[") else _xml(content)
    return [item for item in entries[:MOST_ITEMS] if item.title and item.version]


def _xml(content: bytes) -> list[Item]:
    found = feedparser.parse(BytesIO(content), sanitize_html=False, resolve_relative_uris=False)
    if not found.get("version") and not found.entries:
        raise FeedUnreadable()
    return [
        _made(
            entry.get("title", ""),
            link=entry.get("link", ""),
            description=entry.get("summary", ""),
            released_on=_struct(entry.get("published_parsed") or entry.get("updated_parsed")),
        )
        for entry in found.entries
    ]


def _json(content: bytes) -> list[Item]:
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise FeedUnreadable() from None
    entries: Any = data
    if isinstance(data, dict):
        entries = next((data[name] for name in ("items", "updates") if isinstance(data.get(name), list)), None)
    if not isinstance(entries, list):
        raise FeedUnreadable()
    return [_of_json(entry) for entry in entries if isinstance(entry, dict)]


def _of_json(entry: dict[str, Any]) -> Item:
    def text(*names: str) -> str:
        return next((str(entry[name]) for name in names if isinstance(entry.get(name), (str, int, float))), "")

    products = entry.get("products", entry.get("product", []))
    names = [products] if isinstance(products, str) else products if isinstance(products, list) else []
    return _made(
        text("title", "name"),
        version=text("version"),
        kb_number=text("kb_number", "kb"),
        link=text("link", "url", "external_url"),
        description=text("description", "summary", "content_text", "content_html"),
        released_on=_iso(text("released_on", "date_published", "date_modified")),
        severity=_severity(text("severity")),
        vendor=text("vendor"),
        products=tuple(name for name in names if isinstance(name, str)),
    )


def _made(
    title: str,
    *,
    version: str = "",
    kb_number: str = "",
    link: str = "",
    description: str = "",
    released_on: date | None = None,
    severity: Severity | None = None,
    vendor: str = "",
    products: tuple[str, ...] = (),
) -> Item:
    """Version and KB number are taken from the title where nothing else names them. Without them the title stays
    the same from one version to the next, which tells that one closes the other."""
    title = _plain(title)
    in_title = KB.search(title)
    kb_number = _plain(kb_number) or (f"KB{in_title[1]}" if in_title else "")
    shown = VERSION.search(title)
    version = _plain(version) or (shown[1] if shown else "") or kb_number
    short = KB.sub("", title)
    if version:
        short = re.sub(rf"\bv?{re.escape(version)}(?![\w.])", "", short, flags=re.IGNORECASE)
    short = " ".join(re.sub(r"\(\s*\)|\[\s*\]", " ", short).split()).strip(EDGES)
    return Item(
        title=(short if len(short) >= 3 else title)[:200],
        version=version[:60],
        kb_number=kb_number[:40],
        released_on=released_on,
        link=link.strip() if len(link) <= 500 else "",
        description=_plain(description)[:4000],
        severity=severity,
        vendor=_plain(vendor)[:100],
        products=products,
    )


def _plain(text: str) -> str:
    """Text without markup, control characters, and the room that neither needs."""
    plain = unescape(TAGS.sub(" ", unescape(text)))
    return " ".join("".join(sign if sign.isprintable() else " " for sign in plain).split())


def _struct(parsed: Any) -> date | None:
    try:
        return date(*parsed[:3]) if parsed else None
    except (TypeError, ValueError):
        return None


def _iso(text: str) -> date | None:
    found = DAYS.match(text)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _severity(text: str) -> Severity | None:
    try:
        return Severity(text.strip().lower())
    except ValueError:
        return None
