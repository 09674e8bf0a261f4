"""Issued invoices as files: the PDFs with their XML, XRechnung, JSON, bookings for DATEV."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.documents import datev, einvoice
from ptdash.domain.einvoices import InvoiceSource
from ptdash.domain.errors import Conflict
from ptdash.domain.vat import VatCategory
from ptdash.models import Invoice, InvoicePdf, InvoiceXml
from ptdash.services import invoice_sources, invoices, settings
from ptdash.services.bulk import among

FORMATS = ("zugferd", "xrechnung", "json", "datev")
CHUNK = 50
# The smallest numbers that DATEV knows: what stands for an adviser and a client that nobody has entered yet.
PLACEHOLDERS = {"datev.consultant": "1001", "datev.client": "1"}
NO_ADDRESS = "no valid XRechnung, the buyer has neither e-mail address nor routing id nor VAT id"


class NoDebtorAccount(Conflict):
    message = (
        "These customer numbers are no debtor accounts of %(digits)s digits: %(customers)s. Name a collective "
        "account in the setting datev.debtor."
    )


@dataclass(frozen=True)
class File:
    """A file of an export; `notes` say what is remarkable about it."""

    name: str
    content: bytes
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """An invoice whose document is not there yet."""

    number: str


def months(session: Session) -> Sequence[date]:
    """The months with invoices, the newest first."""
    return session.execute(select(Invoice.period).distinct().order_by(Invoice.period.desc())).scalars().all()


def issued(session: Session, since: date, until: date) -> Sequence[int]:
    """The invoices of the months from `since` to `until` (first days), Stornos included, by their numbers."""
    found = select(Invoice.id).where(Invoice.period.between(since, until))
    return session.execute(found.order_by(Invoice.series_year, Invoice.series_number)).scalars().all()


def files(session: Session, ids: Sequence[int], form: str, *, at: datetime) -> Iterator[File | Missing]:
    """The files of these invoices in a format, a few of them in memory at a time.

    Raises NoDebtorAccount.
    """
    if form == "datev":
        yield from _bookings(session, ids, at) if ids else ()
        return
    write = {"zugferd": _zugferd, "xrechnung": _xrechnung, "json": _json}[form]
    for chunk in _chunks(ids):
        yield from write(session, chunk)


def index(session: Session, ids: Sequence[int]) -> File:
    """A table of the invoices with the sha256 of their originals, for an archive."""
    found = (
        select(Invoice, InvoiceXml.sha256)
        .outerjoin(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .where(among(Invoice.id, ids))
        .order_by(Invoice.series_year, Invoice.series_number)
    )
    text = io.StringIO()
    table = csv.writer(text, delimiter=";", lineterminator="\r\n")
    table.writerow(("number", "issued_on", "period", "customer", "name", "net", "vat", "gross", "xml_sha256"))
    for invoice, sha256 in session.execute(found):
        sums = (f"{cents / 100:.2f}" for cents in (invoice.net_cents, invoice.vat_cents, invoice.gross_cents))
        buyer = invoice.buyer
        days = invoice.issued_on.isoformat(), f"{invoice.period:%Y-%m}"
        table.writerow((invoice.number, *days, buyer["number"], buyer["name"], *sums, sha256 or ""))
    return File("index.csv", text.getvalue().encode("utf-8-sig"))


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _zugferd(session: Session, ids: Sequence[int]) -> Iterator[File | Missing]:
    found = (
        select(Invoice.number, InvoicePdf.content, InvoiceXml.content)
        .outerjoin(InvoiceXml, InvoiceXml.invoice_id == Invoice.id)
        .outerjoin(InvoicePdf, InvoicePdf.invoice_id == Invoice.id)
        .where(among(Invoice.id, ids))
        .order_by(Invoice.series_year, Invoice.series_number)
    )
    for number, pdf, xml in session.execute(found):
        if pdf is None or xml is None:
            yield Missing(number)
            continue
        yield File(f"{number}.pdf", pdf)
        yield File(f"{number}.xml", xml)


def _xrechnung(session: Session, ids: Sequence[int]) -> Iterator[File | Missing]:
    """The original where it is an XRechnung; otherwise the same invoice written down as one, with a note where the
    buyer has no electronic address: it is none then."""
    originals = dict(
        session.execute(
            select(InvoiceXml.invoice_id, InvoiceXml.content).where(
                among(InvoiceXml.invoice_id, ids), InvoiceXml.profile == "xrechnung"
            )
        ).all()
    )
    for invoice_id, source in invoice_sources.of_invoices(session, ids).items():
        content = originals.get(invoice_id) or einvoice.build(source, "xrechnung")
        name = f"{source.number}.xml"
        yield File(name, content, () if source.electronic_address else (f"{name}: {NO_ADDRESS}",))


def _json(session: Session, ids: Sequence[int]) -> Iterator[File | Missing]:
    for document in invoices.documents(session, ids):
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        yield File(f"{document['number']}.json", text.encode())


def _bookings(session: Session, ids: Sequence[int], at: datetime) -> Iterator[File]:
    """One file for each financial year in which invoices were issued: a booking tells day and month only."""
    found = settings.all_settings(session)
    placeholders = {key: number for key, number in PLACEHOLDERS.items() if not found[key]}
    sources = [source for chunk in _chunks(ids) for source in invoice_sources.of_invoices(session, chunk).values()]
    digits = int(found["datev.account_length"]) + 1
    numbers = sorted({str(source.buyer["number"]) for source in sources})
    strange = [number for number in numbers if not (number.isdecimal() and len(number) == digits)]
    if strange and not found["datev.debtor"]:
        raise NoDebtorAccount(digits=digits, customers=", ".join(strange[:10]))
    first_month = int(found["datev.year_begins"])
    by_year = sorted(sources, key=lambda source: (year_begin(source.issued_on, first_month), source.number))
    for begins, of_year in groupby(by_year, key=lambda source: year_begin(source.issued_on, first_month)):
        issued_in = list(of_year)
        days = [source.issued_on for source in issued_in]
        batch = datev.Batch(
            consultant=found["datev.consultant"] or PLACEHOLDERS["datev.consultant"],
            client=found["datev.client"] or PLACEHOLDERS["datev.client"],
            year_begins=begins,
            account_length=digits - 1,
            since=min(days),
            until=max(days),
            title=f"Rechnungen {min(days):%d.%m.%Y}",
        )
        content, replaced = datev.write(
            batch, (booking for source in issued_in for booking in bookings(source, found)), at
        )
        notes = (
            *(
                f"{key} is not set, {number} stands for it: your tax adviser knows the right one"
                for key, number in placeholders.items()
            ),
            *(f"Written with other characters: {text}" for text in replaced),
        )
        yield File(f"EXTF_Buchungsstapel_{min(days):%Y%m%d}-{max(days):%Y%m%d}.csv", content, notes)


def bookings(source: InvoiceSource, found: dict[str, str]) -> list[datev.Booking]:
    """An invoice as bookings, one for each VAT share; what gives money back is booked the other way round."""
    return [
        datev.Booking(
            gross_cents=share.net_cents + share.vat_cents,
            debtor=found["datev.debtor"] or str(source.buyer["number"]),
            revenue=found[
                "datev.revenue_reverse_charge" if share.category is VatCategory.REVERSE_CHARGE else "datev.revenue"
            ],
            document=source.number,
            booked_on=source.issued_on,
            text=str(source.buyer["name"]),
            service_until=source.service_span[1],
            due_on=source.due_on,
            eu_vat_id=str(source.buyer["vat_id"]) if share.category is VatCategory.REVERSE_CHARGE else "",
        )
        for share in source.shares
        if share.net_cents + share.vat_cents
    ]


def year_begin(day: date, first_month: int) -> date:
    """The first day of the financial year in which a day lies."""
    return date(day.year if day.month >= first_month else day.year - 1, first_month, 1)
