"""Customers: the data that an invoice needs."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.einvoices import clean_routing_id
from ptdash.domain.errors import Invalid, NotFound
from ptdash.domain.sorting import sort_key
from ptdash.models import Customer
from ptdash.services import audit
from ptdash.services.countries import clean_country, clean_vat_id


class FieldMissing(Invalid):
    message = "An invoice needs the %(field)s."


class RoutingIdMissing(Invalid):
    message = "An XRechnung needs the routing id (Leitweg-ID) that the buyer names."


class VatReasonMissing(Invalid):
    message = "Give the reason for the decision; it stays with the customer."


@dataclass(frozen=True)
class InvoiceData:
    """Whom an invoice goes to, which VAT a person decided on (None: by country and VAT id), and in which form."""

    name: str
    contact: str
    email: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    vat_decision: str | None
    vat_reason: str | None
    invoice_format: str = "zugferd"
    routing_id: str = ""
    wants_xml: bool = False


def get(session: Session, number: str) -> Customer:
    """Raises NotFound."""
    customer = session.execute(select(Customer).where(Customer.number == number)).scalar_one_or_none()
    if customer is None:
        raise NotFound(what=number)
    return customer


def invoice_data(customer: Customer) -> InvoiceData:
    return InvoiceData(**{name: getattr(customer, name) for name in InvoiceData.__dataclass_fields__})


def change_invoice_data(
    session: Session, number: str, data: InvoiceData, *, actor_id: int | None, now: datetime
) -> None:
    """Store what later invoices are addressed with; issued ones keep their copies.

    Raises NotFound, FieldMissing, CountryUnreadable, VatIdUnreadable, VatReasonMissing, RoutingIdMissing,
    RoutingIdWrong.
    """
    for name in ("name", "street", "postal_code", "city"):
        if not getattr(data, name).strip():
            raise FieldMissing(field=name)
    if data.vat_decision and not (data.vat_reason or "").strip():
        raise VatReasonMissing()
    data = replace(
        data,
        country=clean_country(data.country),
        vat_id=clean_vat_id(data.vat_id),
        routing_id=clean_routing_id(data.routing_id),
    )
    if data.invoice_format == "xrechnung" and not data.routing_id:
        raise RoutingIdMissing()
    customer = get(session, number)
    before = asdict(invoice_data(customer))
    for name, value in asdict(data).items():
        setattr(customer, name, value)
    customer.sort_key = sort_key(data.name)
    session.flush()
    after = asdict(data)
    changed = {name: value for name, value in after.items() if value != before[name]}
    audit.record(
        session,
        "change",
        "customer",
        number,
        actor_id=actor_id,
        now=now,
        before={name: before[name] for name in changed},
        after=changed,
    )
