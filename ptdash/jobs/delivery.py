"""Delivery of messages by SMTP (RFC 5321). Running it twice, or beside another worker, sends nothing twice."""

import logging
import smtplib
import ssl
from datetime import UTC, datetime

from ptdash.db import transaction
from ptdash.jobs.queue import DELIVER, LONG_TIMEOUT_SECONDS, enqueue
from ptdash.services import delivery, dispatch, mails
from ptdash.services.delivery import MailServer, Outcome

# A server may take its time over a message that it looks through (RFC 5321 4.5.3.2.6 grants ten minutes).
TIMEOUT_SECONDS = 30
DATA_TIMEOUT_SECONDS = 300

log = logging.getLogger(__name__)


def deliver(message_id: int) -> None:
    """Try to deliver a message once."""
    with transaction() as session:
        server = delivery.mail_server(session)
        claimed = delivery.claim(session, message_id, datetime.now(UTC)) if server else None
    if server and claimed:
        _deliver(server, claimed)


def hand_over_due(redis_url: str) -> int:
    """Give up what died, let go what is ready, and hand the due messages to the workers; how many."""
    now = datetime.now(UTC)
    with transaction() as session:
        delivery.give_up_dead(session, now)
    with transaction() as session:
        dispatch.let_go(session, now=now)
    with transaction() as session:
        waiting = delivery.due(session, now) if delivery.mail_server(session) else []
    for message_id in waiting:
        enqueue(redis_url, DELIVER, message_id, timeout=LONG_TIMEOUT_SECONDS)
    return len(waiting)


def _deliver(server: MailServer, claimed: delivery.Claimed) -> None:
    try:
        with transaction() as session:
            content = mails.compose(session, claimed.message, server, now=datetime.now(UTC))
        outcome, reply = _hand_over(server, claimed, content)
    except Exception as error:
        log.exception("message %s could not be handed over", claimed.message.id)
        outcome, reply = Outcome.NOT_SENT, str(error)
    with transaction() as session:
        if not delivery.finish(session, claimed.attempt_id, outcome, reply, now=datetime.now(UTC)):
            log.error("message %s: %s (%s), but its attempt was given up", claimed.message.id, outcome, reply)


def _hand_over(server: MailServer, claimed: delivery.Claimed, content: bytes) -> tuple[Outcome, str]:
    """The dialogue with the server up to its answer to the message; what came of it, and what was said last."""
    recipient = claimed.message.recipient
    try:
        smtp = _connect(server)
    except OSError as error:
        return Outcome.NOT_SENT, _words(error)
    try:
        options = ["smtputf8"] if smtp.has_extn("smtputf8") and not (server.sender + recipient).isascii() else []
        code, said = smtp.mail(server.sender, options)
        if code >= 400:
            return Outcome.NOT_SENT, _reply(code, said)
        code, said = smtp.rcpt(recipient)
        if code >= 400:
            return Outcome.REFUSED if code >= 500 else Outcome.NOT_SENT, _reply(code, said)
    except (OSError, UnicodeError) as error:
        smtp.close()
        return Outcome.NOT_SENT, _words(error)
    with transaction() as session:
        if not delivery.say_data(session, claimed.attempt_id, datetime.now(UTC)):
            smtp.close()
            return Outcome.NOT_SENT, delivery.GIVEN_UP
    return _say_data(smtp, content)


def _say_data(smtp: smtplib.SMTP, content: bytes) -> tuple[Outcome, str]:
    """From here on it may arrive: only an answer of the server says what became of it."""
    if smtp.sock:
        smtp.sock.settimeout(DATA_TIMEOUT_SECONDS)
    try:
        code, said = smtp.data(content)
    except smtplib.SMTPDataError as error:
        outcome, reply = Outcome.REFUSED, _reply(error.smtp_code, error.smtp_error)
    except OSError as error:
        outcome, reply = Outcome.UNCLEAR, _words(error)
    else:
        outcome, reply = (Outcome.SENT if code < 400 else Outcome.REFUSED), _reply(code, said)
    try:
        smtp.quit()
    except OSError:
        smtp.close()
    return outcome, reply


def _connect(server: MailServer) -> smtplib.SMTP:
    """Signed in and encrypted as the settings say; raises OSError."""
    context = ssl.create_default_context()
    smtp: smtplib.SMTP
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        if server.security == "starttls":
            smtp.starttls(context=context)
        smtp.ehlo_or_helo_if_needed()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _reply(code: int, said: bytes | str) -> str:
    return f"{code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}".strip()


def _words(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply(error.smtp_code, error.smtp_error)
    return str(error) or type(error).__name__
