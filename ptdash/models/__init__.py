"""The tables. Integrity lives here and in the triggers of the migrations."""

from ptdash.models.acceptances import (
    Acceptance,
    ChecklistItem,
    ChecklistTemplate,
    Inspection,
    InspectionFile,
    InspectionResult,
)
from ptdash.models.audit import AuditEvent, AuditSeal
from ptdash.models.books import (
    Books,
    CustomerMonth,
    Invoice,
    InvoiceLine,
    NumberSeries,
    Period,
    Posting,
    Run,
    Settlement,
    StaleCustomer,
)
from ptdash.models.contracts import (
    Contract,
    ContractDecision,
    ContractDevice,
    ContractNotice,
    ContractReminder,
    FeeChange,
    NoticeFile,
    PackageChange,
    SoftwareAgreement,
)
from ptdash.models.customers import Contact, Customer, CustomerBook, CustomerNote
from ptdash.models.devices import Device, DeviceProduct, DeviceProposal
from ptdash.models.documents import DocumentFailure, Export, ExportPart, InvoicePdf, InvoiceXml
from ptdash.models.files import StoredFile
from ptdash.models.outbox import DeliveryAttempt, OutboxFile, OutboxMessage
from ptdash.models.prices import Price
from ptdash.models.settings import Setting
from ptdash.models.tickets import BulkChange, Ticket, TicketAttachment, TicketMessage, TicketPause
from ptdash.models.time_entries import Material, MinuteAlert, TimeEntry
from ptdash.models.users import CalendarFeed, Role, User, UserSession

__all__ = [
    "Acceptance",
    "AuditEvent",
    "AuditSeal",
    "Books",
    "BulkChange",
    "CalendarFeed",
    "ChecklistItem",
    "ChecklistTemplate",
    "Contact",
    "Contract",
    "ContractDecision",
    "ContractDevice",
    "ContractNotice",
    "ContractReminder",
    "Customer",
    "CustomerBook",
    "CustomerMonth",
    "CustomerNote",
    "DeliveryAttempt",
    "Device",
    "DeviceProduct",
    "DeviceProposal",
    "DocumentFailure",
    "Export",
    "ExportPart",
    "FeeChange",
    "Inspection",
    "InspectionFile",
    "InspectionResult",
    "Invoice",
    "InvoiceLine",
    "InvoicePdf",
    "InvoiceXml",
    "Material",
    "MinuteAlert",
    "NoticeFile",
    "NumberSeries",
    "OutboxFile",
    "OutboxMessage",
    "PackageChange",
    "Period",
    "Posting",
    "Price",
    "Role",
    "Run",
    "Setting",
    "Settlement",
    "SoftwareAgreement",
    "StaleCustomer",
    "StoredFile",
    "Ticket",
    "TicketAttachment",
    "TicketMessage",
    "TicketPause",
    "TimeEntry",
    "User",
    "UserSession",
]
