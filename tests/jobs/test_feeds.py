"""A feed is read by a job from a real server; what is wrong with it stays with the feed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ptdash.db import db, transaction
from ptdash.domain.updates import Severity
from ptdash.jobs import feeds as jobs
from ptdash.jobs.queue import open_queue
from ptdash.models import Update, UpdateFeed
from ptdash.services.updates import feeds
from ptdash.services.updates.fetching import Allowance
from tests.services.updates.feed_server import FEEDS, serving
from tests.services.updates.house import House

HERE = Allowance(addresses=["127.0.0.1"])


@pytest.fixture
def house(session):
    made = House(session)
    session.commit()
    return made


def feed(house, source: str) -> int:
    with transaction() as session:
        return feeds.save(
            session,
            None,
            source=source,
            vendor="Mozilla",
            product_id=house.firefox.id,
            severity=Severity.IMPORTANT,
            active=True,
            actor_id=house.manager.id,
            now=datetime.now(UTC),
        ).id


def versions() -> list[str]:
    return list(db.session.execute(select(Update.version).order_by(Update.version)).scalars())


def test_a_feed_is_read_twice_and_entered_once(house):
    with serving() as server:
        feed_id = feed(house, server.url("/vendor.rss"))
        jobs.read(feed_id, HERE)
        jobs.read(feed_id, HERE)
    assert versions() == ["140.5.0", "140.6.0"]


@pytest.mark.parametrize("path", ["/nothing", "/broken-off", "/page", "/trap", "/large"])
def test_what_is_wrong_with_a_feed_stays_with_it_and_nothing_is_entered(house, path):
    with serving() as server:
        server.bodies |= {"/page": b"<html><body>Wartung</body></html>", "/large": b" " * 3_000_000}
        server.redirects["/trap"] = f"http://[::1]:{server.port}/vendor.rss"
        feed_id = feed(house, server.url(path))
        jobs.read(feed_id, HERE)
    found = db.session.get_one(UpdateFeed, feed_id, populate_existing=True)
    assert feeds.failure(found) is not None
    assert found.fetched_at is not None
    assert versions() == []


def test_the_house_itself_reads_from_no_local_server(house):
    with serving() as server:
        feed_id = feed(house, server.url("/vendor.rss"))
        jobs.read(feed_id)
        assert server.asked == []
    assert versions() == []


def test_a_file_of_the_folder_is_read_like_an_address(house, app):
    folder = app.config["PTDASH"].home / feeds.FOLDER
    folder.mkdir(exist_ok=True)
    (folder / "list.json").write_bytes((FEEDS / "vendor.json").read_bytes())
    jobs.read(feed(house, "list.json"))
    assert versions() == ["14.0.1", "140.6.0"]


def test_what_is_due_is_handed_to_the_workers_once(house, redis_url):
    feed_id = feed(house, "https://feeds.mozilla.example/esr")
    queue = open_queue(redis_url)
    queue.empty()
    jobs.hand_over_due(redis_url)
    jobs.hand_over_due(redis_url)
    assert [list(job.args) for job in queue.jobs] == [[feed_id]]
    queue.empty()
