"""`--all-faults`: every boundary instead of a sample, and the table of what was tried."""

from collections.abc import Callable

import pytest
from flask import Flask

from ptdash.extensions import limiter
from ptdash.services import invoice_documents
from tests.conftest import empty
from tests.faults import naive, rules
from tests.faults.house import House, found
from tests.faults.survey import Survey, table


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-faults", action="store_true", help="every boundary of a close, not a sample")


@pytest.fixture(scope="session")
def sound(migrated_app: Flask) -> House:
    house = found(_emptied(migrated_app), "sound")
    limiter.init_app(migrated_app)  # extensions are shared in a process: the last application made would keep it
    return house


@pytest.fixture(scope="session")
def naive_house(migrated_app: Flask) -> House:
    house = found(_emptied(migrated_app), "naive")
    limiter.init_app(migrated_app)
    naive.weaken(house)
    return house


@pytest.fixture
def survey(
    request: pytest.FixtureRequest,
    sound: House,
    naive_house: House,
    record_property: Callable[[str, object], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Survey:
    """Tries a kind of fault at many points, on the house and on the naive one; nothing may be found on the first,
    and something on the second."""
    monkeypatch.setattr(invoice_documents, "validate", rules.remembered)
    everything = request.config.getoption("--all-faults", default=False)
    return Survey(sound, naive_house, everything, record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    reports = [r for outcome in ("passed", "failed") for r in terminalreporter.stats.get(outcome, [])]
    rows = [value for r in reports for name, value in getattr(r, "user_properties", []) if name == "fault"]
    if rows and config.getoption("--all-faults", default=False):
        terminalreporter.section("faults")
        terminalreporter.write_line(table(rows))


def _emptied(app: Flask) -> Flask:
    with app.app_context():
        empty(app)
    return app
