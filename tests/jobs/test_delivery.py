"""Delivery to a real SMTP server: once, whatever dies when; refusals, waiting, encryption, login."""

import os
import signal
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from multiprocessing import get_context
from socket import socket
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from sqlalchemy.exc import IntegrityError

from ptdash.db import db, transaction
from ptdash.jobs import delivery as jobs
from ptdash.models import DeliveryAttempt, OutboxMessage
from ptdash.services import delivery, outbox, settings
from tests.conftest import DATA, NOW

LATER = timedelta(hours=5)


class Server:
    """Keeps what arrives; does at RCPT and at the end of DATA what a test asks for."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.rcpt = self.answer = "250 OK"
        self.port = 0

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        if self.answer == "silence":
            server.transport.abort()
            return "250 never read"
        self.mails.append(envelope.original_content)
        return self.answer


@pytest.fixture
def server() -> Iterator[Server]:
    handler = Server()
    with listening(handler) as handler.port:
        yield handler


@contextmanager
def listening(handler: Server, **options) -> Iterator[int]:
    """A real SMTP server on a free port."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port, auth_require_tls=False, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def message_id(app, server) -> Iterator[int]:
    """A message that waits, and the settings that lead to the server."""
    with app.app_context():
        with transaction() as session:
            _settings(session, {"smtp.host": "127.0.0.1", "smtp.port": str(server.port), "smtp.security": "none"})
            message = outbox.write(
                session,
                once="notice:1",
                kind=outbox.Kind.NOTICE,
                recipient="kunde@example.com",
                subject="Bestätigung: Kündigung",
                body="Grüß Gott,\n\nIhr Vertrag endet.\n.\nEine Zeile nach einem Punkt",
                now=NOW,
            )
        yield message.id
        db.session.remove()


def _settings(session, values):
    company = {"company.name": "Müller & Söhne IT", "company.email": "rechnung@pt.example"}
    settings.change_all(session, company | values, actor_id=None, now=NOW)


def state(message_id: int) -> str:
    db.session.expire_all()
    found = db.session.get_one(OutboxMessage, message_id).state
    db.session.rollback()
    return found


def attempts(message_id: int) -> list[DeliveryAttempt]:
    db.session.expire_all()
    found = delivery.attempts(db.session, [message_id]).get(message_id, [])
    db.session.rollback()
    return found


def again(message_id: int) -> None:
    """The back-off is over."""
    with transaction() as session:
        session.get_one(OutboxMessage, message_id).next_try_at = None
    jobs.deliver(message_id)


def test_a_message_arrives_as_it_was_written(server, message_id):
    jobs.deliver(message_id)
    assert state(message_id) == "sent"
    (content,) = server.mails
    mail = message_from_bytes(content, policy=default)
    assert mail["Subject"] == "Bestätigung: Kündigung"
    assert str(mail["From"]) == "Müller & Söhne IT <rechnung@pt.example>"
    assert mail["Message-ID"].endswith("@pt.example>")
    lines = mail.get_body().get_content().splitlines()
    assert lines == ["Grüß Gott,", "", "Ihr Vertrag endet.", ".", "Eine Zeile nach einem Punkt"]
    assert content.count(b"\n") == content.count(b"\r\n")


def test_a_second_job_for_the_same_message_sends_nothing(server, message_id):
    jobs.deliver(message_id)
    jobs.deliver(message_id)
    assert len(server.mails) == len(attempts(message_id)) == 1


def test_an_unknown_recipient_is_refused_with_the_servers_words(server, message_id):
    server.rcpt = "550 5.1.1 no such user"
    jobs.deliver(message_id)
    assert state(message_id) == "refused"
    assert attempts(message_id)[0].reply == "550 5.1.1 no such user"
    again(message_id)
    assert len(attempts(message_id)) == 1


def test_a_server_that_asks_to_come_back_is_tried_again_later(server, message_id):
    server.rcpt = "451 4.7.1 greylisted"
    jobs.deliver(message_id)
    assert state(message_id) == "waiting"
    jobs.deliver(message_id)
    assert len(attempts(message_id)) == 1, "not before the back-off is over"
    server.rcpt = "250 OK"
    again(message_id)
    assert (state(message_id), len(server.mails)) == ("sent", 1)


def test_a_server_that_is_down_costs_nothing_but_time(app, server, message_id):
    with transaction() as session:
        _settings(session, {"smtp.port": "1"})
    jobs.deliver(message_id)
    assert state(message_id) == "waiting"
    assert "refused" in attempts(message_id)[0].reply.lower()
    with transaction() as session:
        _settings(session, {"smtp.port": str(server.port)})
    again(message_id)
    assert state(message_id) == "sent"


def test_a_refusal_after_data_is_final_until_a_person_sends_it_again(server, message_id):
    server.answer = "552 5.3.4 too large"
    jobs.deliver(message_id)
    assert state(message_id) == "refused"
    server.answer = "250 OK"
    with transaction() as session:
        new = outbox.resend(session, message_id, actor_id=None, now=NOW)
        with pytest.raises(outbox.ResentAlready):
            outbox.resend(session, message_id, actor_id=None, now=NOW)
    jobs.deliver(new.id)
    assert (state(message_id), state(new.id)) == ("refused", "sent")
    assert new.message_id != db.session.get_one(OutboxMessage, message_id).message_id


def test_a_connection_lost_during_data_leaves_it_unclear(server, message_id):
    server.answer = "silence"
    jobs.deliver(message_id)
    assert state(message_id) == "unclear"
    again_after_everything(message_id)
    assert (state(message_id), len(attempts(message_id))) == ("unclear", 1)


def again_after_everything(message_id: int) -> None:
    """Whatever the sweep does hours later, and another job of the same message."""
    with transaction() as session:
        delivery.give_up_dead(session, datetime.now(UTC) + LATER)
    with transaction() as session:
        delivery.due(session, datetime.now(UTC) + LATER)
    jobs.deliver(message_id)


@pytest.mark.parametrize("moment", ["before_data", "data_noted", "data_said", "answered"])
def test_a_worker_killed_at_any_moment_never_sends_it_twice(app, server, message_id, moment):
    db.session.remove()
    db.engine.dispose()
    child = get_context("fork").Process(target=_die_at, args=(app, message_id, moment))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert state(message_id) == "sending"
    again_after_everything(message_id)
    if moment == "before_data":
        again(message_id)
        assert (state(message_id), len(server.mails)) == ("sent", 1)
    else:
        assert state(message_id) == "unclear"
        assert len(server.mails) == (1 if moment == "answered" else 0)


def _die_at(app, message_id, moment):
    """Deliver, and be killed there: before DATA is noted, after, after the command, after the answer."""

    def die(*_args, **_kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    if moment == "before_data":
        delivery.say_data = die
    elif moment == "data_noted":
        jobs._say_data = die
    elif moment == "data_said":
        smtplib.SMTP.getreply = _then(smtplib.SMTP.getreply, lambda code: code == 354, die)
    else:
        delivery.finish = die
    with app.app_context():
        db.engine.dispose(close=False)
        jobs.deliver(message_id)


def _then(call, when, then):
    def wrapped(self):
        found = call(self)
        if when(found[0]):
            then()
        return found

    return wrapped


def test_a_worker_that_was_stopped_and_given_up_says_no_data_when_it_wakes(server, message_id):
    with transaction() as session:
        claimed = delivery.claim(session, message_id, NOW)
    with transaction() as session:
        assert delivery.give_up_dead(session, NOW + LATER) == 1
    with transaction() as session:
        assert not delivery.say_data(session, claimed.attempt_id, NOW + LATER)
        assert not delivery.finish(session, claimed.attempt_id, delivery.Outcome.SENT, "250", now=NOW + LATER)
    assert state(message_id) == "waiting"


def test_the_server_asks_for_a_login(app, message_id):
    def authenticate(server, session, envelope, mechanism, data: LoginPassword) -> AuthResult:
        fits = (data.login, data.password) == (b"pt", b"geheim")
        return AuthResult(success=fits, handled=False)

    with listening(Server(), authenticator=authenticate, auth_required=True) as port:
        with transaction() as session:
            _settings(session, {"smtp.port": str(port), "smtp.user": "pt", "smtp.password": "falsch"})
        jobs.deliver(message_id)
        assert state(message_id) == "waiting"
        assert attempts(message_id)[0].reply.startswith("535")
        with transaction() as session:
            _settings(session, {"smtp.password": "geheim"})
        again(message_id)
        assert state(message_id) == "sent"


def test_encrypted_and_signed_in_it_goes_out(app, message_id, monkeypatch):
    """The server's certificate is checked: with one that nobody vouches for nothing goes out."""

    def authenticate(server, session, envelope, mechanism, data: LoginPassword) -> AuthResult:
        assert session.ssl, "no password before the encryption"
        return AuthResult(success=(data.login, data.password) == (b"pt", b"geheim"), handled=False)

    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(DATA / "localhost.pem")
    handler = Server()
    options = {"tls_context": certificate, "require_starttls": True, "auth_required": True}
    with listening(handler, authenticator=authenticate, **options) as port:
        with transaction() as session:
            values = {"smtp.security": "starttls", "smtp.user": "pt", "smtp.password": "geheim"}
            _settings(session, values | {"smtp.port": str(port)})
        jobs.deliver(message_id)
        assert state(message_id) == "waiting"
        assert "certificate verify failed" in attempts(message_id)[0].reply
        monkeypatch.setenv("SSL_CERT_FILE", str(DATA / "localhost.pem"))
        again(message_id)
    assert (state(message_id), len(handler.mails)) == ("sent", 1)


def test_where_encryption_is_asked_for_nothing_goes_out_without_it(server, message_id):
    with transaction() as session:
        _settings(session, {"smtp.security": "starttls", "smtp.port": str(server.port)})
    jobs.deliver(message_id)
    assert (state(message_id), server.mails) == ("waiting", [])
    assert "STARTTLS" in attempts(message_id)[0].reply


def test_without_a_mail_server_everything_waits(app, message_id, redis_url):
    with transaction() as session:
        _settings(session, {"smtp.host": ""})
    assert jobs.hand_over_due(redis_url) == 0
    jobs.deliver(message_id)
    assert (state(message_id), attempts(message_id)) == ("waiting", [])


def test_what_is_due_is_handed_over_once_and_again_after_a_while(message_id):
    with transaction() as session:
        assert delivery.due(session, NOW) == [message_id]
        assert delivery.due(session, NOW) == []
        assert delivery.due(session, NOW + delivery.PATIENCE) == [message_id]


def test_the_database_refuses_a_second_attempt_that_says_data(message_id):
    with pytest.raises(IntegrityError), transaction() as session:
        for n in (1, 2):
            session.add(DeliveryAttempt(message_id=message_id, n=n, started_at=NOW, data_at=NOW))
            session.flush()
