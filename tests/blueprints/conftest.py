"""A browser on the application, nobody signed in."""

import pytest
from flask import Flask

from ptdash.extensions import limiter
from tests.blueprints.browser import Browser


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Speaks German, as the house does by default."""
    with app.app_context():
        limiter.reset()
    app.test_client_class = Browser
    made = app.test_client()
    assert isinstance(made, Browser)
    return made
