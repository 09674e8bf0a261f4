"""A browser on the application, nobody signed in; and other applications on the same servers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from ptdash import create_app
from ptdash.extensions import limiter
from tests.blueprints.browser import Browser

MakeApp = Callable[..., Flask]


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Speaks German, as the house does by default."""
    with app.app_context():
        limiter.reset()
    return browser_on(app)


@pytest.fixture
def make_app(app: Flask) -> Iterator[MakeApp]:
    """Another application, its configuration changed in some facts."""

    def make(**changes: Any) -> Flask:
        return create_app(replace(app.config["PTDASH"], **changes))

    yield make
    limiter.init_app(app)  # extensions are shared in a process: the last application made would keep it


def browser_on(app: Flask) -> Browser:
    app.test_client_class = Browser
    made = app.test_client()
    assert isinstance(made, Browser)
    return made
