"""A foreign device on its way into a contract, and short words for what people do with it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.acceptance import ItemState, Outcome
from ptdash.models import Acceptance, Contract, Device, Inspection, User
from ptdash.services.acceptances import inspecting, proposing, signing
from tests.company import Company

NOW = datetime(2026, 11, 17, 10, 42, tzinfo=BERLIN)
TODAY = NOW.date()


@dataclass
class Bench:
    """`device` is not ours and waits for `contract`."""

    session: Session

    def __post_init__(self) -> None:
        self.company = Company(self.session)
        self.technician: User = self.company.technician
        self.colleague: User = self.company.add(
            User(email="lukas@pt.example", name="Lukas Brenner", role="technician")
        )
        self.customer = self.company.customer(name="Steuerberatung Oltmanns")
        self.contract: Contract = self.company.maintenance(self.customer, number="WV-2012")
        self.device: Device = self.foreign()

    def foreign(self) -> Device:
        return self.company.device(self.customer, ours=False)

    def propose(self, device: Device | None = None, fee: str = "9.00", at: datetime = NOW) -> None:
        proposing.propose(
            self.session,
            (device or self.device).inventory_number,
            self.contract.number,
            Decimal(fee),
            today=at.date(),
            actor_id=self.technician.id,
            now=at,
        )

    def start(self, device: Device | None = None, at: datetime = NOW) -> Inspection:
        inventory = (device or self.device).inventory_number
        return inspecting.start(self.session, inventory, actor_id=self.technician.id, now=at)

    def answer(
        self,
        inspection: Inspection,
        pos: int,
        state: ItemState = ItemState.PASSED,
        note: str = "",
        *,
        by: User | None = None,
        seen: datetime | None = None,
        at: datetime = NOW,
    ) -> None:
        inspecting.answer(
            self.session,
            inspection.id,
            pos,
            state,
            note,
            seen=seen,
            actor_id=(by or self.technician).id,
            now=at,
        )

    def answer_rest(self, inspection: Inspection, at: datetime = NOW) -> None:
        for row in inspecting.results(self.session, inspection.id):
            if row.state == ItemState.OPEN:
                self.answer(inspection, row.pos, at=at)

    def sign(
        self, inspection: Inspection, outcome: Outcome = Outcome.ACCEPTED, note: str = "", at: datetime = NOW
    ) -> Acceptance:
        return signing.sign(
            self.session,
            inspection.id,
            outcome,
            note,
            name=self.technician.name,
            today=at.date(),
            actor_id=self.technician.id,
            now=at,
        )

    def inspected(
        self,
        outcome: Outcome = Outcome.ACCEPTED,
        failed: tuple[int, ...] = (),
        device: Device | None = None,
        at: datetime = NOW,
    ) -> Inspection:
        """A signed inspection in which these items failed."""
        inspection = self.start(device, at)
        for pos in failed:
            self.answer(inspection, pos, ItemState.FAILED, "Nicht in Ordnung", at=at)
        self.answer_rest(inspection, at)
        self.sign(inspection, outcome, at=at)
        return inspection


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def day(days: int) -> date:
    return later(days).date()
