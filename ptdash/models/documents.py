"""What leaves the house with an invoice: its XML (the original) and its PDF, and archives of many of them."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from ptdash.db import Base


class InvoiceXml(Base):
    """The e-invoice (EN 16931 CII), written by the transaction that issues the invoice, never changed.

    `rules` names the version of the rules it was validated against, `rules_sha256` (hex) their files; `warnings`
    are the findings that did not stop it. An invoice from before e-invoices gets its XML later.
    """

    __tablename__ = "invoice_xmls"
    __table_args__ = (
        CheckConstraint("profile IN ('zugferd', 'xrechnung')", name="profile"),
        CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="sha256"),
    )

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True, autoincrement=False)
    profile: Mapped[str]
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False), raiseload=True)
    sha256: Mapped[str]
    rules: Mapped[str]
    rules_sha256: Mapped[str]
    warnings: Mapped[list[Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]


class InvoicePdf(Base):
    """The PDF/A-3 with the XML inside, set by a job after the invoice was issued, never changed.

    `source` is all that it was set from, so that it can be set again to the same bytes.
    """

    __tablename__ = "invoice_pdfs"
    __table_args__ = (CheckConstraint("sha256 = encode(sha256(content), 'hex')", name="sha256"),)

    invoice_id: Mapped[int] = mapped_column(
        ForeignKey("invoice_xmls.invoice_id"), primary_key=True, autoincrement=False
    )
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary, nullable=False), raiseload=True)
    sha256: Mapped[str]
    source: Mapped[dict[str, Any]] = deferred(mapped_column(JSONB, nullable=False), raiseload=True)
    created_at: Mapped[datetime]


class DocumentFailure(Base):
    """That an invoice's documents could not be made: how often, when last, and why. Gone once they are there."""

    __tablename__ = "document_failures"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"), primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(server_default="1")
    failed_at: Mapped[datetime]
    why: Mapped[str]


class Export(Base):
    """An ordered archive (ZIP) of a month's or a year's invoices; `done` of `total` invoices are in it."""

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("format IN ('zugferd', 'xrechnung', 'json', 'datev')", name="format"),
        CheckConstraint("state IN ('waiting', 'working', 'done', 'failed')", name="state"),
        CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", name="finished"),
        CheckConstraint("until >= since", name="months"),
        Index("ix_exports_unfinished", "id", postgresql_where=text("state IN ('waiting', 'working')")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[date]
    until: Mapped[date]
    format: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="waiting")
    done: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[int] = mapped_column(server_default="0")
    why: Mapped[str] = mapped_column(server_default="")
    ordered_at: Mapped[datetime]
    ordered_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    worked_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ExportPart(Base):
    """A piece of an archive's bytes; together, in order, they are the file."""

    __tablename__ = "export_parts"

    export_id: Mapped[int] = mapped_column(ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True)
    pos: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
