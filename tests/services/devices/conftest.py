"""A company with one customer."""

import pytest
from sqlalchemy.orm import Session

from ptdash.models import Customer
from tests.company import Company


@pytest.fixture
def company(session: Session) -> Company:
    return Company(session)


@pytest.fixture
def customer(company: Company) -> Customer:
    return company.customer(number="10001")
