from datetime import date

import pytest

from ptdash.domain.coverage import Why
from ptdash.domain.errors import NotFound
from ptdash.domain.minutes import Treatment
from ptdash.models import DeviceProduct
from ptdash.services import coverage
from tests.company import Company

DAY = date(2026, 9, 15)


@pytest.fixture
def company(session):
    return Company(session)


def test_the_device_of_a_ticket_under_warranty(session, company):
    customer = company.customer()
    device = company.device(customer)
    device.warranty_until = DAY
    ticket = company.ticket(customer, concern="defect", category="hardware", device_id=device.id)
    assert coverage.of_ticket(session, ticket.id, DAY).treatment is Treatment.WARRANTY


def test_a_device_counts_as_maintained_on_the_days_of_its_contract(session, company):
    customer = company.customer()
    device = company.device(customer)
    contract = company.maintenance(customer, ends_before=date(2026, 9, 15))
    company.include(contract, device)
    ticket = company.ticket(customer, concern="upkeep", device_id=device.id)
    assert coverage.of_ticket(session, ticket.id, date(2026, 9, 14)).treatment is Treatment.MAINTENANCE
    assert coverage.of_ticket(session, ticket.id, DAY).treatment is Treatment.PACKAGE


def test_where_a_product_comes_from_is_looked_up_at_the_tickets_device_first(session, company):
    customer = company.customer()
    one, two = company.device(customer), company.device(customer)
    for device, source in ((one, "foreign"), (two, "ours")):
        company.add(DeviceProduct(device_id=device.id, product="Büro 365", source=source))
    here = company.ticket(customer, product="buro 365", device_id=one.id)
    anywhere = company.ticket(customer, product="Büro 365")
    assert coverage.of_ticket(session, here.id, DAY).reasons[0].why is Why.FOREIGN_SOFTWARE
    assert coverage.of_ticket(session, anywhere.id, DAY).treatment is Treatment.PACKAGE


def test_a_ticket_that_does_not_exist(session):
    with pytest.raises(NotFound):
        coverage.of_ticket(session, 4711, DAY)
