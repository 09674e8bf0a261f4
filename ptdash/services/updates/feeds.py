"""Vendors' feeds: which there are, when they are read again, and what they say as updates of our own."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ptdash.domain import updates as rules
from ptdash.domain.errors import Conflict, DomainError, Invalid, NotFound
from ptdash.domain.searching import fold
from ptdash.domain.updates import Severity
from ptdash.models import Product, UpdateFeed
from ptdash.services import audit
from ptdash.services.updates import catalogue, entering, fetching
from ptdash.services.updates.entering import Entry
from ptdash.services.updates.feed_formats import Item

FOLDER = "feeds"
EVERY = timedelta(hours=6)
MOST_SOURCE = 500


class FeedKnown(Conflict):
    message = "This feed is there already."


class SourceMissing(Invalid):
    message = "Give the address of the feed, or the name of a file in the folder feeds."


@dataclass(frozen=True)
class Row:
    feed: UpdateFeed
    product: str | None


@dataclass(frozen=True)
class Taken:
    """What came of reading a feed: new updates, those that were known, and what fits no product."""

    new: int
    known: int
    unmatched: int


def rows(session: Session) -> list[Row]:
    """Every feed with its product's name, by vendor."""
    found = session.execute(
        select(UpdateFeed, Product.name)
        .outerjoin(Product, Product.id == UpdateFeed.product_id)
        .order_by(UpdateFeed.vendor, UpdateFeed.source)
    )
    return [Row(feed, product) for feed, product in found]


def get(session: Session, feed_id: int) -> UpdateFeed:
    """Raises NotFound."""
    feed = session.get(UpdateFeed, feed_id)
    if feed is None:
        raise NotFound(what=str(feed_id))
    return feed


def save(
    session: Session,
    feed_id: int | None,
    *,
    source: str,
    vendor: str,
    product_id: int | None,
    severity: Severity,
    active: bool,
    actor_id: int,
    now: datetime,
) -> UpdateFeed:
    """Add a feed, or change one; a changed source is read again soon.

    Raises NotFound, SourceMissing, SourceRefused, VendorMissing, FieldTooLong, FeedKnown.
    """
    source, vendor = source.strip(), " ".join(vendor.split())
    check_source(source)
    if not vendor:
        raise entering.VendorMissing()
    if len(vendor) > entering.MOST["vendor"]:
        raise entering.FieldTooLong(field="vendor", most=entering.MOST["vendor"])
    if product_id is not None:
        catalogue.get(session, product_id)
    feed = get(session, feed_id) if feed_id else UpdateFeed(created_at=now, created_by_id=actor_id)
    after = {
        "source": source,
        "vendor": vendor,
        "product_id": product_id,
        "severity": severity.value,
        "active": active,
    }
    before = {name: getattr(feed, name) for name in after} if feed_id else None
    if before == after:
        return feed
    if before and before["source"] != source:
        feed.fetched_at, feed.failure = None, ""
    for name, value in after.items():
        setattr(feed, name, value)
    try:
        with session.begin_nested():
            session.add(feed)
    except IntegrityError:
        raise FeedKnown() from None
    audit.record(session, "save", "feed", feed.id, actor_id=actor_id, now=now, before=before or None, after=after)
    return feed


def remove(session: Session, feed_id: int, *, actor_id: int, now: datetime) -> UpdateFeed:
    """Forget a feed; the updates that it brought stay. Raises NotFound."""
    feed = get(session, feed_id)
    session.delete(feed)
    session.flush()
    before = {"source": feed.source, "vendor": feed.vendor}
    audit.record(session, "remove", "feed", feed_id, actor_id=actor_id, now=now, before=before)
    return feed


def ask_again(session: Session, feed_id: int) -> UpdateFeed:
    """Have a feed read as soon as a worker is free. Raises NotFound."""
    feed = get(session, feed_id)
    feed.fetched_at, feed.failure = None, ""
    session.flush()
    return feed


def due(session: Session, now: datetime) -> list[int]:
    """The active feeds that have not been read for six hours."""
    stale = or_(UpdateFeed.fetched_at.is_(None), UpdateFeed.fetched_at < now - EVERY)
    return list(session.execute(select(UpdateFeed.id).where(UpdateFeed.active, stale)).scalars())


def check_source(source: str) -> None:
    """An address, or a file below the folder for feeds. Raises SourceMissing, SourceRefused, FieldTooLong."""
    if not source:
        raise SourceMissing()
    if len(source) > MOST_SOURCE:
        raise entering.FieldTooLong(field="source", most=MOST_SOURCE)
    if fetching.is_address(source):
        fetching.split(source)
    elif PurePosixPath(source).is_absolute() or ".." in PurePosixPath(source).parts or "\\" in source:
        raise fetching.SourceRefused(folder=FOLDER)


def take(session: Session, feed_id: int, items: list[Item], *, today: date, now: datetime) -> Taken:
    """Enter what a feed says and is not known yet; that it was read is kept. Raises NotFound."""
    feed = get(session, feed_id)
    by_name = {product.key: product for product in session.execute(select(Product)).scalars()}
    new, unmatched = 0, 0
    entries: dict[str, Entry] = {}
    for item in items:
        products = _products(feed, item, by_name)
        if not products:
            unmatched += 1
            continue
        entry = _entry(feed, item, products, today)
        entries.setdefault(rules.key(entering.named(entry)), entry)
    known = entering.known_keys(session, list(entries))
    for key, entry in reversed(entries.items()):  # the oldest first, as if they had come in one by one
        if key not in known:
            new += _enter(session, entry, now)
    feed.fetched_at, feed.failure = now, ""
    session.flush()
    return Taken(new, len(entries) - new, unmatched)


def fail(session: Session, feed_id: int, error: DomainError, *, now: datetime) -> None:
    """Keep why a feed could not be read; it is tried again with the next ones. Raises NotFound."""
    feed = get(session, feed_id)
    params = {name: str(value)[:300] for name, value in error.params.items()}
    feed.fetched_at, feed.failure = now, json.dumps({"message": error.message, "params": params})
    session.flush()


def failure(feed: UpdateFeed) -> tuple[str, dict[str, str]] | None:
    """Why a feed could not be read the last time: a sentence that can be translated, and what goes into it."""
    if not feed.failure:
        return None
    kept = json.loads(feed.failure)
    return kept["message"], kept["params"]


def _enter(session: Session, entry: Entry, now: datetime) -> int:
    """1 for a new update, 0 for one that cannot be one."""
    try:
        with session.begin_nested():
            entering.enter(session, entry, origin="feed", actor_id=None, now=now)
    except DomainError:
        return 0
    return 1


def _products(feed: UpdateFeed, item: Item, by_name: dict[str, Product]) -> tuple[int, ...]:
    """The feed's product; else those that the item names; else what the title names, of the same vendor."""
    if feed.product_id is not None:
        return (feed.product_id,)
    named = tuple(by_name[key].id for key in map(fold, map(str.strip, item.products)) if key in by_name)
    if named:
        return named
    title = f" {fold(item.title)} "
    vendors = {"", fold(feed.vendor), fold(item.vendor)}
    return tuple(
        product.id for key, product in by_name.items() if f" {key} " in title and fold(product.vendor) in vendors
    )


def _entry(feed: UpdateFeed, item: Item, products: tuple[int, ...], today: date) -> Entry:
    link = item.link
    try:
        entering.check_link(link)
    except entering.LinkRefused:
        link = ""
    return Entry(
        vendor=item.vendor or feed.vendor,
        title=item.title,
        version=item.version,
        severity=item.severity or Severity(feed.severity),
        released_on=min(item.released_on or today, today),
        products=products,
        kb_number=item.kb_number,
        link=link,
        description=item.description,
    )
