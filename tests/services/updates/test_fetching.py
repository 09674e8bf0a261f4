"""A feed is read from public addresses only, in time and in measure, whatever names and redirects say."""

from ipaddress import ip_address
from pathlib import Path

import pytest

from ptdash.services.updates import fetching
from ptdash.services.updates.fetching import Allowance
from tests.services.updates.feed_server import CERTIFICATE, serving

HERE = Allowance(addresses=["127.0.0.1"])


@pytest.fixture
def server():
    with serving() as running:
        yield running


def test_a_feed_is_read_from_its_address_and_asked_for_by_its_name(server):
    allowance = Allowance(addresses=["127.0.0.1"], names={"feeds.example": ["127.0.0.1"]})
    assert fetching.fetch(server.url("/vendor.rss", "feeds.example"), allowance).startswith(b"<?xml")
    assert server.asked == [("/vendor.rss", f"feeds.example:{server.port}")]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/feed",
        "http://localhost:{port}/feed",
        "http://2130706433:{port}/feed",
        "http://[::1]:{port}/feed",
        "http://[::ffff:127.0.0.1]:{port}/feed",
        "http://0.0.0.0:{port}/feed",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://172.16.0.1/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://[fd00::1]/",
        "http://[fe80::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
    ],
)
def test_nothing_is_asked_of_a_local_or_private_address(server, url):
    with pytest.raises(fetching.AddressRefused):
        fetching.fetch(url.format(port=server.port))
    assert server.asked == []


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_are_public(address):
    assert fetching.is_public(ip_address(address))


def test_a_name_with_one_private_address_among_others_is_refused(server):
    names = {"feeds.example": ["93.184.215.14", "127.0.0.1"]}
    with pytest.raises(fetching.AddressRefused):
        fetching.fetch(server.url(host="feeds.example"), Allowance(names=names))
    assert server.asked == []


def test_a_redirect_is_followed_and_leads_to_no_private_address(server):
    server.redirects |= {"/moved": "/vendor.atom", "/trap": f"http://[::1]:{server.port}/vendor.rss"}
    assert b"KB5068861" in fetching.fetch(server.url("/moved"), HERE)
    with pytest.raises(fetching.AddressRefused):
        fetching.fetch(server.url("/trap"), HERE)
    assert [path for path, _ in server.asked] == ["/moved", "/vendor.atom", "/trap"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/"])
def test_a_redirect_leads_to_no_other_scheme(server, target):
    server.redirects["/odd"] = target
    with pytest.raises(fetching.SourceRefused):
        fetching.fetch(server.url("/odd"), HERE)


def test_a_circle_of_redirects_ends(server):
    server.redirects["/feed"] = "/feed"
    with pytest.raises(fetching.TooManyRedirects):
        fetching.fetch(server.url(), HERE)
    assert len(server.asked) == fetching.MOST_REDIRECTS + 1


def test_an_answer_that_is_too_large_is_not_read_to_its_end(server):
    server.bodies["/feed"] = b" " * (fetching.MOST_BYTES + 1)
    with pytest.raises(fetching.FeedTooLarge):
        fetching.fetch(server.url(), HERE)


def test_an_answer_that_drips_for_ever_is_given_up(server):
    with pytest.raises(fetching.FeedTooSlow):
        fetching.fetch(server.url("/drip"), Allowance(addresses=["127.0.0.1"], whole_seconds=0.3))


def test_what_breaks_off_or_is_not_there_says_so(server):
    with pytest.raises(fetching.FetchFailed):
        fetching.fetch(server.url("/broken-off"), HERE)
    with pytest.raises(fetching.AnswerRefused, match="404"):
        fetching.fetch(server.url("/nothing"), HERE)


@pytest.mark.parametrize(
    "source", ["ftp://vendor.example/feed", "file:///etc/passwd", "https://", "https://me:secret@vendor.example/"]
)
def test_only_plain_web_addresses_are_sources(source, tmp_path):
    with pytest.raises(fetching.SourceRefused):
        fetching.load(source, tmp_path)


def test_the_certificate_is_that_of_the_name_although_the_address_is_connected_to():
    names = {"feeds.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}
    trusted = Allowance(addresses=["127.0.0.1"], names=names, certificates=str(CERTIFICATE))
    with serving(tls=True) as server:
        url = f"https://feeds.example:{server.port}/vendor.json"
        assert b"Firefox" in fetching.fetch(url, trusted)
        with pytest.raises(fetching.FetchFailed):
            fetching.fetch(url.replace("feeds.", "other."), trusted)
        with pytest.raises(fetching.FetchFailed):
            fetching.fetch(url, Allowance(addresses=["127.0.0.1"], names=names))


def test_a_file_is_read_from_the_folder_for_feeds_and_from_nowhere_else(tmp_path: Path):
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "list.json").write_text("[]")
    (tmp_path / "secret").write_text("key")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert fetching.load("list.json", folder) == b"[]"
    for source in ("../secret", "/etc/hostname", "link"):
        with pytest.raises(fetching.SourceRefused):
            fetching.load(source, folder)
    with pytest.raises(fetching.FileMissing):
        fetching.load("other.json", folder)
    (folder / "large").write_bytes(b" " * (fetching.MOST_BYTES + 1))
    with pytest.raises(fetching.FeedTooLarge):
        fetching.load("large", folder)
