"""What feeds say becomes updates, once each; what cannot be read says why."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ptdash.domain.updates import Severity
from ptdash.models import Update, UpdateFeed
from ptdash.services.updates import entering, feed_formats, feeds, fetching
from tests.services.updates.feed_server import FEEDS
from tests.services.updates.house import NOW, TODAY, House


def feed(house: House, source: str = "https://vendor.example/feed", **more) -> UpdateFeed:
    values = {"vendor": "Mozilla", "product_id": None, "severity": Severity.IMPORTANT, "active": True} | more
    return feeds.save(house.session, None, source=source, actor_id=house.manager.id, now=NOW, **values)


def read(name: str) -> list[feed_formats.Item]:
    return feed_formats.parse((FEEDS / name).read_bytes())


def updates(house: House) -> list[Update]:
    return list(house.session.execute(select(Update).order_by(Update.id)).scalars())


def test_rss_gives_title_version_day_link_and_plain_text():
    newest, older = read("vendor.rss")
    assert (newest.title, newest.version, newest.released_on) == ("Firefox ESR", "140.6.0", date(2026, 11, 10))
    assert newest.link == "https://mozilla.example/140.6.0"
    assert "<" not in newest.description
    assert older.version == "140.5.0"


def test_atom_gives_the_kb_number_of_its_title():
    (one,) = read("vendor.atom")
    assert (one.kb_number, one.version) == ("KB5068861", "KB5068861")
    assert one.title == "Kumulatives Update für Windows 11 24H2"


def test_json_may_say_everything_by_itself():
    one, other = read("vendor.json")
    assert (one.version, one.severity, one.products) == ("140.6.0", Severity.CRITICAL, ("Firefox ESR",))
    assert (other.title, other.version) == ("Lotus Notes", "14.0.1")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html><body>404</body></html>", b"{", b'{"items": 5}', b'"text"', b"\x00\x01\x02", b"[" * 100_000],
)
def test_what_is_no_feed_says_so(content):
    with pytest.raises(feed_formats.FeedUnreadable):
        feed_formats.parse(content)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_server_sends_is_read_or_refused(content):
    try:
        items = feed_formats.parse(content)
    except feed_formats.FeedUnreadable:
        return
    assert all(item.title and item.version for item in items)


def test_entities_that_grow_do_not_fill_the_memory():
    doctype = '<!DOCTYPE x [<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)
    )
    content = f"{doctype}]><rss version='2.0'><channel><item><title>&a11; 1.0</title></item></channel></rss>"
    try:
        items = feed_formats.parse(content.encode())
    except feed_formats.FeedUnreadable:
        return
    assert all(len(item.title) <= 200 for item in items)


def test_a_feed_enters_what_is_new_once(house):
    made = feed(house, product_id=house.firefox.id)
    taken = feeds.take(house.session, made.id, read("vendor.rss"), today=TODAY, now=NOW)
    assert (taken.new, taken.known, taken.unmatched) == (2, 0, 0)
    older, newest = updates(house)
    assert (newest.origin, newest.created_by_id, newest.severity) == ("feed", None, "important")
    assert (older.version, older.link, newest.version) == ("140.5.0", "", "140.6.0")
    again = feeds.take(house.session, made.id, read("vendor.rss"), today=TODAY, now=NOW)
    assert (again.new, again.known, len(updates(house))) == (0, 2, 2)


def test_a_feed_without_a_product_finds_it_by_its_name_and_leaves_out_what_nobody_runs(house):
    house.product("Windows 11", "Microsoft")
    made = feed(house)
    taken = feeds.take(house.session, made.id, read("vendor.json"), today=TODAY, now=NOW)
    assert (taken.new, taken.unmatched) == (1, 1)
    windows = feed(house, "https://microsoft.example/", vendor="Microsoft")
    assert feeds.take(house.session, windows.id, read("vendor.atom"), today=TODAY, now=NOW).new == 1


def test_an_update_that_somebody_entered_before_is_known(house):
    house.update("140.6.0", title="Firefox ESR")
    made = feed(house, product_id=house.firefox.id)
    assert feeds.take(house.session, made.id, read("vendor.rss"), today=TODAY, now=NOW).known == 1


def test_a_day_in_the_future_is_today(house):
    made = feed(house, product_id=house.firefox.id)
    item = feed_formats.Item("Firefox ESR", "150", released_on=TODAY + timedelta(days=400))
    feeds.take(house.session, made.id, [item], today=TODAY, now=NOW)
    assert updates(house)[0].released_on == TODAY


def test_a_feed_is_due_every_six_hours_while_it_is_active(house):
    one, off = feed(house), feed(house, "https://off.example/", active=False)
    assert feeds.due(house.session, NOW) == [one.id]
    feeds.take(house.session, one.id, [], today=TODAY, now=NOW)
    assert feeds.due(house.session, NOW + timedelta(hours=5)) == []
    assert feeds.due(house.session, NOW + timedelta(hours=7)) == [one.id]
    assert feeds.ask_again(house.session, off.id).fetched_at is None


def test_why_a_feed_could_not_be_read_is_kept_until_it_can(house):
    made = feed(house)
    feeds.fail(house.session, made.id, fetching.AnswerRefused(host="vendor.example", status=500), now=NOW)
    message, params = feeds.failure(made)
    assert message % params == "vendor.example answers with status 500 instead of a feed."
    feeds.take(house.session, made.id, [], today=TODAY, now=NOW)
    assert feeds.failure(made) is None


@pytest.mark.parametrize(
    ("source", "refusal"),
    [
        ("", feeds.SourceMissing),
        ("/etc/passwd", fetching.SourceRefused),
        ("../secret.json", fetching.SourceRefused),
        ("ftp://vendor.example", fetching.SourceRefused),
        ("x" * 501, entering.FieldTooLong),
    ],
)
def test_a_source_is_a_web_address_or_a_file_of_the_folder(house, source, refusal):
    with pytest.raises(refusal):
        feed(house, source)


def test_a_feed_is_there_once(house):
    made = feed(house)
    with pytest.raises(feeds.FeedKnown):
        feed(house)
    feeds.remove(house.session, made.id, actor_id=house.manager.id, now=NOW)
    assert feeds.rows(house.session) == []
