"""Foreign devices on their way into the demo's contracts: waiting, inspected, in remediation, accepted."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.acceptance import ItemState, Outcome
from ptdash.models import Contract, Customer, User
from ptdash.services.acceptances import entering, inspecting, proposing, signing
from ptdash.services.devices import register
from ptdash.services.devices.register import DeviceData, ProductData

MANAGER, TAREK, LUKAS = "miriam.vogt@pt.example", "tarek.kaya@pt.example", "lukas.brenner@pt.example"
WINDOWS = ProductData("Windows 11", "Microsoft", "24H2", "foreign")
FAULTS = {
    9: "BitLocker ausgeschaltet, TPM vorhanden. Kunde fragt nach, ob der alte Rettungsschlüssel noch gilt.",
    12: "Keine Sicherung vorhanden.",
    6: "Windows 10, kein Support mehr.",
}
REMEDIES = {
    9: "Aktiviert, Schlüssel im Tresor hinterlegt.",
    12: "Sicherungsplan täglich zugewiesen, erster Lauf ohne Fehler.",
}


@dataclass(frozen=True)
class Foreign:
    """A device that was not bought from us, for the contract at a place in the list of maintenance contracts."""

    number: str
    place: int
    type: str
    manufacturer: str
    model: str
    serial_number: str
    bought_from: str
    days_ago: int
    fee: str = "9.00"


THINKPAD_A = Foreign("KES-NB-019", 0, "notebook", "Lenovo", "ThinkPad E16 Gen 2", "PF-5K7Q2M", "Fachmarkt", 8)
THINKPAD_B = Foreign("KES-NB-020", 0, "notebook", "Lenovo", "ThinkPad E16 Gen 2", "PF-5K7Q8A", "Fachmarkt", 8)
KYOCERA = Foreign("KES-DR-004", 0, "printer", "Kyocera", "ECOSYS M5526cdw", "VUL0Z11894", "Leasing", 8)
MINI_A = Foreign("OLT-PC-013", 1, "desktop", "HP", "Elite Mini 800 G9", "CZC4219KXR", "DATEV-Partner", 1)
MINI_B = Foreign("OLT-PC-014", 1, "desktop", "HP", "Elite Mini 800 G9", "CZC4219KXT", "DATEV-Partner", 1)
POWEREDGE = Foreign("HOF-SRV-06", 2, "server", "Dell", "PowerEdge T360", "7HQ2ZX3", "Vorbesitzer", 6, "29.00")
SURFACE = Foreign("PHY-NB-003", 3, "notebook", "Microsoft", "Surface Laptop 5", "0F37 4K82 11", "Amazon", 8)
OWN_BUILD = Foreign("SEI-WS-002", 4, "desktop", "Eigenbau", "ASUS B760", "", "Eigenbau", 12)
SCANNER = Foreign("HOF-SC-002", 2, "handscanner", "Zebra", "TC22", "S24117523", "Lagertechnik", 21, "4.50")
LATITUDE = Foreign("MUE-NB-024", 5, "notebook", "Dell", "Latitude 5550", "9JX41R3", "Versandhandel", 23)


def seed(session: Session, *, today: date, now: datetime) -> None:
    """Everything in the past of `now`, so that the pages show it from the first start."""
    _Story(session, today, now).tell()


class _Story:
    def __init__(self, session: Session, today: date, now: datetime) -> None:
        self.session, self.today, self.now = session, today, now
        people = session.execute(select(User).where(User.email.in_((MANAGER, TAREK, LUKAS)))).scalars()
        self.people = {user.email: user for user in people}
        rows = session.execute(
            select(Contract, Customer)
            .join(Customer, Customer.id == Contract.customer_id)
            .where(Contract.kind == "maintenance", Contract.ends_before.is_(None))
            .order_by(Contract.number)
        )
        self.contracts = [(contract, customer) for contract, customer in rows]

    def tell(self) -> None:
        for device in (THINKPAD_A, THINKPAD_B):
            self.propose(device)
            self.plan(device, LUKAS, self.at(2, 8))
        self.propose(KYOCERA)
        self.propose(MINI_B)
        self.plan(MINI_B, MANAGER, self.at(1, 7, 30))
        self.propose(MINI_A)
        self.inspect(MINI_A, LUKAS, 0, failed=(9,), skipped={12: "Keine lokalen Daten"}, until=11)
        self.propose(POWEREDGE)
        self.inspect(POWEREDGE, TAREK, 1, until=9)
        self.propose(SURFACE)
        self.refuse(SURFACE, TAREK, 5, failed=(9, 12), remedied_by=LUKAS)
        self.propose(OWN_BUILD)
        self.refuse(OWN_BUILD, TAREK, 7, failed=(6, 9, 12))
        self.accept(SCANNER, TAREK, 20, Outcome.WITH_RESERVATIONS, "Zweiter Akku fehlt, wird nachgeliefert.")
        self.accept(LATITUDE, LUKAS, 22, Outcome.ACCEPTED)

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        return datetime.combine(self.today + timedelta(days=days), time(hour, minute), BERLIN)

    def past(self, days: int, minutes: int = 0) -> datetime:
        """Some morning, or of today an hour ago; minutes later, never later than now."""
        begun = self.at(-days, 9, 10) if days else self.now - timedelta(hours=1)
        return min(begun + timedelta(minutes=minutes), self.now)

    def propose(self, device: Foreign) -> None:
        contract, customer = self.contracts[device.place % len(self.contracts)]
        at = self.past(device.days_ago)
        data = DeviceData(
            inventory_number=device.number,
            customer=customer.number,
            type=device.type,
            name=device.number,
            manufacturer=device.manufacturer,
            model=device.model,
            serial_number=device.serial_number,
            purchased_from_us=False,
            purchased_from=device.bought_from,
            purchased_on=(self.today - timedelta(days=250)).replace(day=1),
        )
        runs = [WINDOWS] if device.type in ("notebook", "desktop") else []
        register.create(self.session, data, runs, actor_id=self.people[MANAGER].id, now=at)
        proposing.propose(
            self.session,
            device.number,
            contract.number,
            Decimal(device.fee),
            today=self.today,
            actor_id=self.people[MANAGER].id,
            now=at,
        )

    def plan(self, device: Foreign, who: str, scheduled_at: datetime) -> None:
        inspecting.plan(
            self.session,
            device.number,
            assignee_id=self.people[who].id,
            scheduled_at=scheduled_at,
            actor_id=self.people[MANAGER].id,
            now=self.past(device.days_ago, 5),
        )

    def inspect(
        self,
        device: Foreign,
        who: str,
        days: int,
        *,
        failed: tuple[int, ...] = (),
        skipped: dict[int, str] | None = None,
        until: int | None = None,
    ) -> int:
        """Answer so many items (None: all); those that failed and those that do not apply count among them."""
        person = self.people[who].id
        inspection = inspecting.start(self.session, device.number, actor_id=person, now=self.past(days))
        rows = inspecting.results(self.session, inspection.id)
        left_out = skipped or {}
        plain = [row.pos for row in rows if row.pos not in failed and row.pos not in left_out]
        answered = len(rows) if until is None else until
        for place, pos in enumerate([*plain[: answered - len(failed) - len(left_out)], *failed, *left_out]):
            state, note = ItemState.PASSED, ""
            if pos in failed:
                state, note = ItemState.FAILED, FAULTS[pos]
            elif pos in left_out:
                state, note = ItemState.NOT_APPLICABLE, left_out[pos]
            at = self.past(days, 2 * place + 2)
            inspecting.answer(self.session, inspection.id, pos, state, note, seen=None, actor_id=person, now=at)
        return inspection.id

    def sign(self, inspection_id: int, who: str, days: int, outcome: Outcome, note: str = "") -> None:
        person = self.people[who]
        signing.sign(
            self.session,
            inspection_id,
            outcome,
            note,
            name=person.name,
            today=self.today - timedelta(days=days),
            actor_id=person.id,
            now=self.past(days, 38),
        )

    def refuse(
        self, device: Foreign, who: str, days: int, *, failed: tuple[int, ...], remedied_by: str | None = None
    ) -> None:
        inspection_id = self.inspect(device, who, days, failed=failed)
        self.sign(inspection_id, who, days, Outcome.REFUSED)
        for pos in failed if remedied_by else ():
            person = self.people[remedied_by or who].id
            signing.remedy(self.session, inspection_id, pos, REMEDIES[pos], actor_id=person, now=self.past(1, 430))

    def accept(self, device: Foreign, who: str, days: int, outcome: Outcome, note: str = "") -> None:
        self.propose(device)
        self.sign(self.inspect(device, who, days), who, days, outcome, note)
        entering.enter(
            self.session,
            device.number,
            included_from=self.today,
            actor_id=self.people[MANAGER].id,
            now=self.now,
        )
