"""tickets.csv: what customers asked for."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import false, func, select

from ptdash.domain.periods import berlin_day
from ptdash.models import Customer, Device, Ticket, User
from ptdash.services.importing.cells import Column, instant, key, one_of, reference, text, user_email, words
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

STATUSES = (
    *("new", "open", "in_progress", "scheduled", "waiting_customer", "waiting_vendor"),
    *("resolved", "closed", "merged"),
)


@dataclass(slots=True)
class TicketRow:
    number: str
    customer: str
    channel: str
    category: str
    concern: str | None
    product: str
    subject: str
    body: str
    device: str | None
    status: str
    priority: str
    created_at: datetime
    assignee: str | None


def check(world: "World") -> None:
    for row_number, row, old in world.tickets.touched():
        device = world.devices.get(row.device) if row.device else None
        if device and device.customer != row.customer:
            message = f"Device {row.device} belongs to customer {device.customer}, not to {row.customer}."
            world.report.error(TICKETS.name, row_number, "device", "other_customer", message)
        if old and old.customer != row.customer and row.number in world.tickets.taken:
            message = (
                f"A posted month of customer {old.customer} has taken time or material of ticket {row.number}. "
                "Reverse those first (Storno) and enter them again for the other customer."
            )
            world.report.error(TICKETS.name, row_number, "customer", "already_posted", message)
        world.warn_of_future(TICKETS.name, row_number, "created_at", berlin_day(row.created_at))


def _stored() -> Stored:
    t = Ticket
    return (
        select(
            *(t.id, t.number, Customer.number, t.channel, t.category, t.concern, t.product, t.subject, t.body),
            *(Device.inventory_number, t.status, t.priority, t.created_at, func.lower(User.email), false()),
        )
        .join(Customer, Customer.id == t.customer_id)
        .outerjoin(Device, Device.id == t.device_id)
        .outerjoin(User, User.id == t.assignee_id)
    )


def _values(row: TicketRow, ids: Ids) -> dict[str, Any]:
    """A ticket's columns; its deadlines depend on several of them and are computed afterwards."""
    values = asdict(row)
    device, assignee = values.pop("device"), values.pop("assignee")
    values["customer_id"] = ids["customers.csv"][values.pop("customer")]
    values["device_id"] = ids["devices.csv"][device] if device else None
    values["assignee_id"] = ids["users.csv"][assignee] if assignee else None
    values["deadline_known"] = False
    return values


TICKETS = File(
    name="tickets.csv",
    row=TicketRow,
    key=("number",),
    columns={
        "number": key(),
        "customer": reference("customers.csv"),
        "channel": Column(one_of("phone", "email", "portal"), required=True),
        "category": Column(one_of("hardware", "software"), required=True),
        "concern": Column(one_of("question", "defect", "swap", "upkeep")),
        "product": words(200),
        "subject": Column(text(500), required=True),
        "body": words(100_000),
        "device": reference("devices.csv", required=False),
        "status": Column(one_of(*STATUSES), empty="new"),
        "priority": Column(one_of("low", "normal", "high", "urgent"), empty="normal"),
        "created_at": Column(instant, required=True),
        "assignee": reference("users.csv", required=False, parse=user_email),
    },
    model=Ticket,
    stored=_stored,
    values=_values,
    by=Ticket.number,
)
