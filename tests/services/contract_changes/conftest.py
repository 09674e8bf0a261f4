"""A company whose contracts change, and who changes them."""

import pytest
from sqlalchemy.orm import Session

from tests.company import Company
from tests.conftest import NOW


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def actor(company) -> dict:
    return {"actor_id": company.technician.id, "now": NOW}
