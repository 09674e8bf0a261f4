"""Commands around e-mail."""

from typing import BinaryIO

import click

from ptdash.cli.edge import opened, say
from ptdash.db import transaction
from ptdash.services import bounces


@click.command("bounce")
@click.argument("file", type=click.File("rb"), default="-")
def bounce(file: BinaryIO) -> None:
    """Note that a message came back: FILE (or standard input) is the mail server's notification (RFC 3464)."""
    with opened() as edge, transaction() as session:
        message = bounces.record(session, file.read(), actor_id=None, now=edge.now)
    say(f"{message.message_id} to {message.recipient} came back: {message.bounce}")


COMMANDS = (bounce,)
