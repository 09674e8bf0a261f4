"""The command line. Exit 0: done; 1: refused by a rule, or a check that failed; 2: wrong usage."""

import os
import sys
from typing import NoReturn

import click
from redis import RedisError
from sqlalchemy.exc import OperationalError

from ptdash.cli import backups, books, contracts, mail, people, servers
from ptdash.cli.edge import say
from ptdash.domain.errors import DomainError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """ptdash: tickets, minutes, contracts, updates and invoices of an IT service provider."""


AREAS = (servers, books, contracts, people, mail, backups)

for command in (command for area in AREAS for command in area.COMMANDS):
    cli.add_command(command)


def main() -> None:
    """The `ptdash` command: what goes wrong is said in a sentence, never as a traceback."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2 if isinstance(error, click.UsageError) else 1)
    except click.Abort:
        sys.exit(1)
    except DomainError as error:
        say(f"Error: {error}")
        sys.exit(1)
    except OperationalError as error:
        say(f"Error: the database does not answer ({str(error.orig).strip().splitlines()[0]}).")
        sys.exit(1)
    except RedisError as error:
        say(f"Error: the queue does not answer ({error}).")
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            _unforeseen(error)
        say(f"Error: {os.fsdecode(error.filename)} cannot be used: {error.strerror}.")
        sys.exit(1)
    except Exception as error:
        _unforeseen(error)


def _unforeseen(error: Exception) -> NoReturn:
    if os.environ.get("PTDASH_TRACEBACK"):
        raise error
    say(f"Error: something unforeseen happened ({type(error).__name__}: {error}).")
    say("Set PTDASH_TRACEBACK=1 and repeat the command to see where.")
    sys.exit(1)
