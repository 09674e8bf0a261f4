"""A test client that behaves like a person with a browser, and checks every page it is given."""

from datetime import UTC, datetime
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ptdash.db import transaction
from ptdash.models import Role
from ptdash.services import users
from ptdash.web.access import SESSION_KEY
from tests.blueprints.page_lint import problems

HTMX = {"HX-Request": "true"}
NAMES = {
    Role.DISPATCHER: "Jana Petersen",
    Role.TECHNICIAN: "Lukas Brenner",
    Role.MANAGER: "Miriam Vogt",
    Role.ADMIN: "Anna Adler",
}


class Browser(FlaskClient):
    """`sign_in(role)` makes the user where needed; `submit(page, action, …)` sends a form of a page."""

    application: Flask

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        if response.mimetype == "text/html" and response.status_code not in (301, 302, 303, 308):
            html = response.get_data(as_text=True)
            assert not (found := problems(html, whole="<!doctype" in html)), f"{response.request.path}: {found}"
        return response

    def sign_in(self, role: Role = Role.MANAGER, *, language: str = "de") -> int:
        """A session as after a sign-in; returns the user's id."""
        now = datetime.now(UTC)
        email = f"{role.value}@example.com"
        with self.application.app_context(), transaction() as session:
            try:
                user = users.by_email(session, email)
            except users.UserNotFound:
                user = users.add(session, email, NAMES[role], role, language=language, actor_id=None, now=now)
            token = users.start_session(session, user.id, now=now)
            user_id = user.id
        with self.session_transaction() as cookie:
            cookie.clear()
            cookie[SESSION_KEY] = token
        return user_id

    def page(self, url: str, status: int = 200) -> BeautifulSoup:
        response = self.get(url)
        assert response.status_code == status, f"{url}: {response.status_code}"
        return BeautifulSoup(response.get_data(as_text=True), "html.parser")

    def submit(
        self, url: str, action: str, *, headers: dict[str, str] | None = None, **values: str
    ) -> TestResponse:
        """Open a page, fill in its form with this action, send it."""
        form = self.page(url).find("form", attrs={"action": action})
        assert isinstance(form, Tag), f"{url} has no form for {action}"
        return self.post(action, data={**_as_it_stands(form), **values}, headers=headers)


def text_of(response: TestResponse) -> str:
    return " ".join(BeautifulSoup(response.get_data(as_text=True), "html.parser").get_text(" ").split())


def _as_it_stands(form: Tag) -> dict[str, str]:
    values = {}
    for tag in form.find_all("input"):
        if tag.get("type") not in ("checkbox", "radio") or tag.has_attr("checked"):
            values[str(tag.get("name"))] = str(tag.get("value", "y" if tag.get("type") == "checkbox" else ""))
    for tag in form.find_all("select"):
        chosen = tag.find("option", selected=True) or tag.find("option")
        values[str(tag["name"])] = str(chosen["value"])
    return values
