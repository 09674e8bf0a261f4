"""E-mails as they leave the house (RFC 5322, MIME)."""

from collections.abc import Iterable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

Attachment = tuple[str, str, bytes]  # name, media type, content


def compose(
    *,
    sender: str,
    sender_name: str,
    recipient: str,
    subject: str,
    body: str,
    message_id: str,
    at: datetime,
    attachments: Iterable[Attachment] = (),
) -> bytes:
    """The message as bytes with CRLF line ends. Nobody's robot should answer it (RFC 3834)."""
    international = not (sender + recipient).isascii()
    mail = EmailMessage(policy=SMTPUTF8 if international else SMTP)
    mail["From"] = Address(sender_name, addr_spec=sender)
    mail["To"] = Address(addr_spec=recipient)
    mail["Subject"] = " ".join(subject.split())
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body, cte="quoted-printable")
    for name, media_type, content in attachments:
        kind, _, subtype = media_type.partition("/")
        if kind == "message":
            kind, subtype = "application", "octet-stream"
        mail.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return mail.as_bytes()
