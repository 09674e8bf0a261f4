"""Commands of administration: users and settings."""

import sys

import click

from ptdash.cli.edge import answer, json_option, opened, say
from ptdash.db import transaction
from ptdash.models import Role
from ptdash.services import settings as settings_service
from ptdash.services import users


@click.group()
def user() -> None:
    """Add people, set their passwords, disable them."""


@user.command("add")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--language", type=click.Choice(["de", "en"]), default="de", show_default=True)
def add(email: str, name: str, role: str, language: str) -> None:
    """Add a person; the password is asked for, or read from standard input."""
    password = _password()
    with opened() as edge, transaction() as session:
        users.add(
            session,
            email=email,
            name=name,
            role=Role(role),
            language=language,
            password=password,
            actor_id=None,
            now=edge.now,
        )
    say(f"{email} can sign in.")


@user.command("password")
@click.argument("email")
def password(email: str) -> None:
    """Set a new password; every session of this person ends."""
    new = _password()
    with opened() as edge, transaction() as session:
        users.set_password(session, users.by_email(session, email).id, new, actor_id=None, now=edge.now)
    say(f"{email} has a new password and is signed out everywhere.")


@user.command("disable")
@click.argument("email")
def disable(email: str) -> None:
    """Take a person's access away; every session ends, nothing is deleted."""
    with opened() as edge, transaction() as session:
        users.disable(session, users.by_email(session, email).id, actor_id=None, now=edge.now)
    say(f"{email} can no longer sign in.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


@click.group()
def settings() -> None:
    """Company data and switches."""


@settings.command("get")
@click.argument("key", required=False)
@json_option
def get(key: str | None, as_json: bool) -> None:
    """One setting, or all of them."""
    with opened(), transaction() as session:
        found = {key: settings_service.get(session, key)} if key else settings_service.all_settings(session)
    found = {name: settings_service.shown(name, value) for name, value in found.items()}
    answer(found, as_json, lambda: found[key] if key else "\n".join(f"{k} = {v}" for k, v in found.items()))


@settings.command("set")
@click.argument("key")
@click.argument("value")
def set_(key: str, value: str) -> None:
    """Change one setting; an empty value clears it."""
    with opened() as edge, transaction() as session:
        stored = settings_service.change(session, key, value, actor_id=None, now=edge.now)
    say(f"{key} = {settings_service.shown(key, stored)}")


COMMANDS = (user, settings)
