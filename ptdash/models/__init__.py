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
from ptdash.models.customers import Customer, CustomerBook
from ptdash.models.devices import Acceptance, Device, DeviceProduct
from ptdash.models.prices import Price
from ptdash.models.settings import Setting
from ptdash.models.tickets import Material, Ticket, TimeEntry
from ptdash.models.users import Role, User, UserSession

__all__ = [
    "Acceptance",
    "AuditEvent",
    "AuditSeal",
    "Books",
    "Contract",
    "ContractDevice",
    "ContractNotice",
    "Customer",
    "CustomerBook",
    "CustomerMonth",
    "Device",
    "DeviceProduct",
    "FeeChange",
    "Invoice",
    "InvoiceLine",
    "Material",
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
    "Ticket",
    "TimeEntry",
    "User",
    "UserSession",
]
