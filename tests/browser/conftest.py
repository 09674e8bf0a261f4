"""A real Chromium on the running application.

`live` is the address, `people` signs somebody in, `opened` opens a page of a given width. After each test nothing
may stand in the browser's console: no error of a script, no breach of the content security policy.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from ptdash.db import transaction
from ptdash.extensions import limiter
from ptdash.models import Role
from ptdash.services import users
from ptdash.web.access import SESSION_KEY

PASSWORD = "correct horse battery"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "BROWSER TESTS NOT RUN: no Chromium found. Install one (Debian, Ubuntu: apt install chromium), "
    "or name yours with PTDASH_CHROMIUM=/path/to/chromium."
)
# Answers that a test asks for on purpose are named by the browser too.
EXPECTED = (
    "Failed to load resource: the server responded with a status of",
    "ERR_INTERNET_DISCONNECTED",
    "htmx:sendError",
    "htmx:sendAbort",
    "htmx:afterRequest",
)

SignIn = Callable[..., int]
Open = Callable[..., Page]


def chromium() -> str | None:
    named = os.environ.get("PTDASH_CHROMIUM")
    return named if named and Path(named).exists() else next(filter(None, map(shutil.which, NAMES)), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser one loud line stands for all these tests; in CI they fail instead."""
    mine = [item for item in items if item.get_closest_marker("browser")]
    if not mine or chromium() or os.environ.get("CI"):
        return
    mine[0].add_marker(pytest.mark.skip(f"{len(mine)} {MISSING}"))
    config.hook.pytest_deselected(items=mine[1:])
    items[:] = [item for item in items if item not in mine[1:]]


@pytest.fixture(scope="session")
def engine() -> Iterator[Browser]:
    path = chromium()
    if not path:
        pytest.fail(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(engine: Browser, migrated_app: Flask) -> Iterator[str]:
    """The application on a free port, in threads of this process."""
    server = make_server("127.0.0.1", 0, migrated_app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def live(server: str, app: Flask) -> str:
    """The address of the application, on an empty database."""
    with app.app_context():
        limiter.reset()
    return server


@pytest.fixture
def context(engine: Browser, live: str) -> Iterator[BrowserContext]:
    context = engine.new_context(base_url=live, locale="de-DE", timezone_id="Europe/Berlin")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def sign_in(app: Flask, context: BrowserContext, live: str) -> SignIn:
    """Make the user of a role and give this browser its session; returns the user's id."""

    def sign_in(role: Role = Role.MANAGER, *, into: BrowserContext | None = None, **preferences: Any) -> int:
        now = datetime.now(UTC)
        email = f"{role.value}@example.com"
        with app.app_context(), transaction() as session:
            try:
                user = users.by_email(session, email)
            except users.UserNotFound:
                user = users.add(session, email, "Miriam Vogt", role, password=PASSWORD, actor_id=None, now=now)
            users.set_preferences(session, user.id, now=now, **preferences)
            token = users.start_session(session, user.id, now=now)
            user_id = user.id
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        (into or context).add_cookies(
            [{"name": "ptdash", "value": signer.dumps({SESSION_KEY: token}), "url": live, "httpOnly": True}]
        )
        return user_id

    return sign_in


@pytest.fixture
def opened(context: BrowserContext) -> Iterator[Open]:
    """Open a path in a window of this width; the console is read until the test ends."""
    said: list[str] = []

    def opened(path: str, width: int = 1440, height: int = 900) -> Page:
        page = context.new_page()
        page.on(
            "console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.set_viewport_size({"width": width, "height": height})
        page.goto(path)
        # Chromium focuses what asks for it with the first frame, which can come after the load event: whoever
        # types at once would lose letters.
        if (wanted := page.locator("[autofocus]")).count():
            expect(wanted.first).to_be_focused()
        return page

    yield opened
    assert not [line for line in said if not any(part in line for part in EXPECTED)]
