"""notices.csv: notices given, ordinary and extraordinary, and their withdrawal."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from ptdash.domain.terms import Notice, withdrawn_too_late
from ptdash.models import Contract, ContractNotice
from ptdash.services.importing.cells import Column, day, one_of, reference, words
from ptdash.services.importing.result import Tell
from ptdash.services.importing.tables import File, Ids, Stored

if TYPE_CHECKING:
    from ptdash.services.importing.world import World

ORDINARY, EXTRAORDINARY = "ordinary", "extraordinary"


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
    if row.kind == EXTRAORDINARY and row.ends_on is None:
        tell("ends_on", "required", "An extraordinary notice needs the contract's last day.")
    if row.kind == ORDINARY and row.ends_on is not None:
        tell(
            "ends_on",
            "ends_on_not_allowed",
            "The end of an ordinary notice follows from the term. Leave this empty.",
        )
    if row.ends_on and row.ends_on < row.received_on:
        tell("ends_on", "ends_before_received", f"{row.ends_on} is before the notice was received.")
    if row.withdrawn_on and row.withdrawn_on < row.received_on:
        tell("withdrawn_on", "withdrawn_before_received", f"{row.withdrawn_on} is before the notice was received.")


def check(world: "World") -> None:
    for row_key, row in world.notices.rows.items():
        place = world.notices.place(row_key)
        contract, facts = world.contracts.get(row.contract), world.facts.get(row.contract)
        world.warn_of_future(NOTICES.name, world.notices.origin[row_key], "received_on", row.received_on)
        if contract is None or facts is None:
            continue
        if row.ends_on and row.ends_on < contract.starts_on:
            message = f"Contract {row.contract} starts on {contract.starts_on}; it cannot end on {row.ends_on}."
            world.error(place, "ends_on", "ends_before_contract", message)
        if row.contract not in world.life_in_doubt and withdrawn_too_late(facts, row.fact()):
            message = (
                f"Contract {row.contract} had ended by {row.withdrawn_on}. Only while it runs can it be withdrawn."
            )
            world.error(place, "withdrawn_on", "withdrawn_after_end", message)
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
