"""Reading a vendor's feed: by a worker, whose time limit ends whatever a stranger's server does."""

from datetime import UTC, datetime

from flask import current_app

from ptdash.config import Config
from ptdash.db import transaction
from ptdash.domain.errors import DomainError
from ptdash.jobs.queue import READ_FEED, enqueue_once
from ptdash.services.updates import feed_formats, feeds, fetching
from ptdash.services.updates.fetching import NOTHING_MORE, Allowance


def read(feed_id: int, allowance: Allowance = NOTHING_MORE) -> None:
    """Fetch a feed and enter what is new; what went wrong is kept with the feed. Nothing is open meanwhile."""
    config: Config = current_app.config["PTDASH"]
    with transaction() as session:
        source = feeds.get(session, feed_id).source
    try:
        items = feed_formats.parse(fetching.load(source, config.home / feeds.FOLDER, allowance))
    except DomainError as error:
        with transaction() as session:
            feeds.fail(session, feed_id, error, now=datetime.now(UTC))
        return
    now = datetime.now(UTC)
    with transaction() as session:
        feeds.take(session, feed_id, items, today=config.business_day(now), now=now)


def hand_over_due(redis_url: str) -> None:
    """Hand the feeds that are to be read again to the workers."""
    with transaction() as session:
        waiting = feeds.due(session, datetime.now(UTC))
    for feed_id in waiting:
        enqueue_once(redis_url, f"feed-{feed_id}", READ_FEED, feed_id)
