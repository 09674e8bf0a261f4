"""A technician's bench on an empty database."""

import pytest
from sqlalchemy.orm import Session

from tests.services.acceptances.inspection import Bench


@pytest.fixture
def bench(session: Session) -> Bench:
    return Bench(session)
