import pytest
from sqlalchemy.orm import Session

from tests.services.updates.house import House


@pytest.fixture
def house(session: Session) -> House:
    return House(session)
