"""The outbox: once each, held with a reason, cancelled while it waits."""

import pytest

from ptdash.services import outbox
from tests.company import Company
from tests.conftest import NOW


@pytest.fixture
def write(session):
    def write(once="notice:1:notice", recipient="kunde@example.com", **more):
        row = {"kind": outbox.Kind.NOTICE, "subject": "Bestätigung", "body": "Text"} | more
        return outbox.write(session, once=once, recipient=recipient, now=NOW, **row)

    return write


def test_a_message_is_written_once(session, write):
    assert write().state == "waiting"
    assert write() is None
    assert outbox.listed(session)[1] == 1


def test_its_message_id_belongs_to_the_companys_domain(session, write):
    assert write("a").message_id.endswith("@ptdash.invalid>")
    Company(session)
    first, second = write("b"), write("c")
    assert first.message_id != second.message_id


def test_without_an_address_it_is_held_until_there_is_one(session, write):
    customer = Company(session).customer(email="")
    message = write(recipient="", customer_id=customer.id)
    assert (message.state, message.why) == ("held", "no_address")
    with pytest.raises(outbox.AddressMissing, match=customer.number):
        outbox.release(session, message.id, actor_id=None, now=NOW)
    customer.email = "neu@kunde.example"
    outbox.release(session, message.id, actor_id=None, now=NOW)
    assert (message.state, message.why, message.recipient) == ("waiting", "", "neu@kunde.example")
    with pytest.raises(outbox.NotHeld):
        outbox.release(session, message.id, actor_id=None, now=NOW)


def test_what_waits_can_be_cancelled_once(session, write):
    message = write()
    outbox.cancel(session, message.id, actor_id=None, now=NOW)
    assert message.state == "cancelled"
    with pytest.raises(outbox.NotCancellable):
        outbox.cancel(session, message.id, actor_id=None, now=NOW)


def test_the_newest_come_first_by_state(session, write):
    for once in "abc":
        write(once)
    write("d", recipient="")
    found, total = outbox.listed(session, "waiting")
    assert ([row.message.once for row in found], total) == (["c", "b", "a"], 3)
    assert outbox.counts(session) == {"waiting": 3, "held": 1}
    assert [row.message.once for row in outbox.of_subject(session, "d")] == ["d"]


def test_an_unknown_message_is_not_found(session):
    with pytest.raises(outbox.NotFound):
        outbox.load(session, 7)
    with pytest.raises(outbox.NotFound):
        outbox.cancel(session, 7, actor_id=None, now=NOW)
