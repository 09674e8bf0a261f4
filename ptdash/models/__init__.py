"""The tables. Integrity lives here and in the triggers of the migrations."""

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
from ptdash.models.contracts import Contract, ContractDevice, ContractNotice, FeeChange, PackageChange
from ptdash.models.customers import Contact, Customer, CustomerBook, CustomerNote
from ptdash.models.devices import Acceptance, Device, DeviceProduct
from ptdash.models.files import StoredFile
from ptdash.models.prices import Price
from ptdash.models.settings import Setting
from ptdash.models.tickets import BulkChange, Ticket, TicketAttachment, TicketMessage, TicketPause
from ptdash.models.time_entries import Material, MinuteAlert, TimeEntry
from ptdash.models.users import Role, User, UserSession

__all__ = [
    "Acceptance",
    "AuditEvent",
    "AuditSeal",
    "Books",
    "BulkChange",
    "Contact",
    "Contract",
    "ContractDevice",
    "ContractNotice",
    "Customer",
    "CustomerBook",
    "CustomerMonth",
    "CustomerNote",
    "Device",
    "DeviceProduct",
    "FeeChange",
    "Invoice",
    "InvoiceLine",
    "Material",
    "MinuteAlert",
    "NumberSeries",
    "PackageChange",
    "Period",
    "Posting",
    "Price",
    "Role",
    "Run",
    "Setting",
    "Settlement",
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
