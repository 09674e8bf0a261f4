"""Messages that came back are found by their Message-ID."""

import pytest

from ptdash.services import bounces, outbox
from tests.conftest import NOW

NOTIFICATION = """From: MAILER-DAEMON@mail.example
To: rechnung@pt.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="grenze"

--grenze
Content-Type: text/plain

I'm sorry to have to inform you.

--grenze
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; kunde@example.com
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--grenze
Content-Type: {kind}

Message-ID: {message_id}
From: rechnung@pt.example
Subject: Rechnung

--grenze--
"""


@pytest.fixture
def message(session):
    row = {"kind": outbox.Kind.NOTICE, "subject": "Bestätigung", "body": "Text", "recipient": "kunde@example.com"}
    return outbox.write(session, once="notice:1", now=NOW, **row)


def notification(message_id, action="failed", kind="text/rfc822-headers"):
    return NOTIFICATION.format(message_id=message_id, action=action, kind=kind).encode()


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_bounce_is_put_to_its_message_with_the_servers_words(session, message, kind):
    content = notification(message.message_id, kind=kind)
    found = bounces.record(session, content, actor_id=None, now=NOW)
    assert (found.id, found.bounced_at) == (message.id, NOW)
    assert found.bounce == "kunde@example.com: 550 5.1.1 User unknown"
    outbox.resend(session, message.id, actor_id=None, now=NOW)


def test_a_delayed_message_did_not_come_back(session, message):
    with pytest.raises(bounces.NoBounce):
        bounces.record(session, notification(message.message_id, action="delayed"), actor_id=None, now=NOW)


@pytest.mark.parametrize("content", [b"", b"\xff\x00\x01", b"Subject: hi\n\nhello", b"%PDF-1.7"])
def test_anything_else_is_no_notification(session, content):
    with pytest.raises(bounces.NoBounce):
        bounces.record(session, content, actor_id=None, now=NOW)


def test_a_notification_about_somebody_elses_message_is_refused(session, message):
    with pytest.raises(bounces.NotOurs):
        bounces.record(session, notification("<other@example.com>"), actor_id=None, now=NOW)
