"""notices.csv: notices given, ordinary and extraordinary, and their withdrawal."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from ptdash.domain import notices
from ptdash.domain.errors import DomainError
from ptdash.domain.terms import Notice
from ptdash.models import Contract, ContractNotice
from ptdash.services.importing.cells import Column, day, one_of, reference, words
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

ORDINARY, EXTRAORDINARY = "ordinary", "extraordinary"
CODES: dict[type[DomainError], str] = {
    notices.EndMissing: "required",
    notices.EndNotAllowed: "ends_on_not_allowed",
    notices.EndBeforeReceipt: "ends_before_received",
}


@dataclass(slots=True)
class NoticeRow:
    contract: str
    received_on: date
    kind: Literal["ordinary", "extraordinary"]
    ends_on: date | None
    channel: str
    withdrawn_on: date | None

    def fact(self) -> Notice:
        return Notice(self.received_on, self.kind, self.ends_on, self.withdrawn_on)


def finish(row: NoticeRow, tell: Tell) -> None:
    """Only an extraordinary notice names its last day; nothing happens before the notice was received."""
    for fault in notices.faults(row.fact()):
        tell("ends_on", CODES.get(type(fault), fault.code), str(fault))
    if row.withdrawn_on and row.withdrawn_on < row.received_on:
        tell("withdrawn_on", "withdrawn_before_received", f"{row.withdrawn_on} is before the notice was received.")


def check(world: "World") -> None:
    for row_key, row in world.notices.rows.items():
        place = world.notices.place(row_key)
        contract, facts = world.contracts.get(row.contract), world.facts.get(row.contract)
        world.warn_of_future(NOTICES.name, world.notices.origin[row_key], "received_on", row.received_on)
        if contract is None or facts is None:
            continue
        for fault in notices.faults_with(row.fact(), row.contract, facts):
            if isinstance(fault, notices.EndBeforeContract):
                world.error(place, "ends_on", "ends_before_contract", str(fault))
            elif row.contract not in world.life_in_doubt:
                world.error(place, "withdrawn_on", "withdrawn_after_end", str(fault))
        end = world.ends[row.contract]
        if row.withdrawn_on is None and end and row.received_on >= end:
            message = f"Contract {row.contract} had ended before this notice was received on {row.received_on}."
            world.warn(place, "received_on", "received_after_end", message)


def _stored() -> Stored:
    n = ContractNotice
    return select(n.id, Contract.number, n.received_on, n.kind, n.ends_on, n.channel, n.withdrawn_on).join(
        Contract, Contract.id == n.contract_id
    )


def _values(row: NoticeRow, ids: Ids) -> dict[str, Any]:
    values = asdict(row)
    values["contract_id"] = ids["contracts.csv"][values.pop("contract")]
    return values


NOTICES = File(
    name="notices.csv",
    row=NoticeRow,
    key=("contract", "received_on"),
    columns={
        "contract": reference("contracts.csv"),
        "received_on": Column(day, required=True),
        "kind": Column(one_of(ORDINARY, EXTRAORDINARY), required=True),
        "ends_on": Column(day),
        "channel": words(100),
        "withdrawn_on": Column(day),
    },
    finish=finish,
    model=ContractNotice,
    stored=_stored,
    values=_values,
)
