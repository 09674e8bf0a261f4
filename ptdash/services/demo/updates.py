"""The demo's vendor updates: tested, approved and installed in the newest window, waiting, failed, put off."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.acceptance import Answer, ItemState
from ptdash.domain.periods import month_of, previous_month
from ptdash.domain.updates import Result, Severity
from ptdash.domain.windows import Window
from ptdash.models import ContractDevice, Customer, Device, DeviceProduct, Product, RolloutTask, Update, User
from ptdash.services import windows
from ptdash.services.updates import approving, catalogue, checking, entering, feeds
from ptdash.services.updates.checking import Where
from ptdash.services.updates.entering import Entry

MANAGER, TAREK, LUKAS = "miriam.vogt@pt.example", "tarek.kaya@pt.example", "lukas.brenner@pt.example"
MICROSOFT, BROWSERS, SAFETY, TRADE = "Microsoft", "Browser und PDF", "Sicherung und Schutz", "Branchensoftware"
SECTIONS = {
    MICROSOFT: (
        "Windows 11",
        "Windows Server 2022",
        ".NET Framework 4.8.1",
        "Microsoft 365 Apps",
        "Exchange Server 2019",
    ),
    BROWSERS: ("Firefox ESR", "Chrome Enterprise", "Acrobat Reader DC"),
    SAFETY: (
        "Veeam Backup & Replication",
        "Veeam Agent",
        "Endpoint-Schutz",
        "VPN-Client",
        "Synology DSM",
        "LCOS FX",
    ),
    TRADE: ("Lexware buchhaltung",),
}
ENDPOINT = "Endpoint-Schutz"
PLANS = {
    "Windows 11": (
        "Installation läuft ohne Fehlermeldung durch",
        "Neustart dauert höchstens fünf Minuten",
        "Anmeldung an der Domäne und Netzlaufwerke",
        "Drucken auf Brother und Kyocera",
        "VPN-Verbindung von außen",
        "Microsoft 365 startet, Kalender und Freigaben gehen",
        "Ereignisprotokoll ohne neue Fehler",
    ),
    "Windows Server 2022": (
        "Sicherung unmittelbar davor vorhanden",
        "Dienste starten nach dem Neustart von selbst",
        "Anmeldung und Freigaben funktionieren",
        "Sicherung läuft danach durch",
        "Ereignisprotokoll ohne neue Fehler",
    ),
    "Firefox ESR": ("Startet mit vorhandenem Profil", "DATEV und Banking öffnen sich", "PDF-Anzeige und Druck"),
}


@dataclass(frozen=True)
class Story:
    """What becomes of an update; days are counted from the window's first day."""

    product: str
    title: str
    version: str
    severity: Severity
    kb: str = ""
    released: int = -6
    tester: str = TAREK
    tested: int | None = None
    result: Result = Result.PASSED
    note: str = "Auf dem Testgerät unauffällig."
    approver: str = MANAGER
    approved: int | None = None


CRITICAL, IMPORTANT, MODERATE = Severity.CRITICAL, Severity.IMPORTANT, Severity.MODERATE
WINDOWS = Story(
    *("Windows 11", "Kumulatives Update Windows 11 24H2", "26100.7171", CRITICAL, "KB5068861"),
    tested=-4,
    approved=-3,
)
SERVER = Story(
    *("Windows Server 2022", "Kumulatives Update Windows Server 2022", "20348.4405", CRITICAL, "KB5068787"),
    tested=-4,
    approved=-3,
)
FIREFOX = Story(
    *("Firefox ESR", "Mozilla Firefox ESR", "140.5.0", IMPORTANT, "", -7, LUKAS),
    tested=-5,
    approver=TAREK,
    approved=-5,
)
VEEAM = Story(
    *("Veeam Backup & Replication", "Veeam Backup & Replication", "12.3.2.4165", CRITICAL, "", -10),
    tested=-6,
    approved=-6,
)
VPN = Story(*("VPN-Client", "VPN-Client", "7.4.4", IMPORTANT, "", -13), tested=-10, approved=-7)
DONE = (WINDOWS, SERVER, FIREFOX, VEEAM, VPN)

DOTNET = Story(
    *(".NET Framework 4.8.1", ".NET Framework 4.8.1 Sammelupdate", "4.8.9320", IMPORTANT, "KB5066130"),
    tester=LUKAS,
    tested=-3,
)
CHROME = Story(
    *("Chrome Enterprise", "Google Chrome Enterprise", "142.0.7444.163", IMPORTANT, "", -3), tester=LUKAS, tested=0
)
OFFICE = Story(
    "Microsoft 365 Apps", "Office-Sicherheitsupdate (Klick-und-Los)", "16.0.19328", IMPORTANT, tester=LUKAS
)
READER = Story("Acrobat Reader DC", "Adobe Acrobat Reader DC", "25.001.20844", MODERATE, released=-5)
EXCHANGE = Story(
    *("Exchange Server 2019", "Exchange Server 2019 CU15 SU4", "15.2.1748.39", CRITICAL, "KB5069001"),
    tested=0,
    result=Result.FAILED,
    note="Outlook im Web lädt nach dem Update nicht mehr.",
)
ANTIVIRUS = Story(
    *(ENDPOINT, "Endpoint-Schutz: Programmversion", "2026.2.3", MODERATE, "", -4, MANAGER),
    tested=0,
    approver=TAREK,
)
DSM = Story("Synology DSM", "Synology DSM", "7.2.2-72806 Update 4", MODERATE, released=-2)
LEXWARE = Story("Lexware buchhaltung", "Lexware buchhaltung", "26.1", IMPORTANT, tested=-5, approved=-4)


def seed(session: Session, *, today: date, now: datetime) -> None:
    """Everything in the past of `now`, so that the matrix is full from the first start."""
    # The import before has every constraint checked at once; an approval and its update are two statements.
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    window = _newest_window(session, today)
    _Teller(session, window, today, now).tell()


def _newest_window(session: Session, today: date) -> Window:
    """The window of this month, while it has not begun that of the month before."""
    this = windows.of_month(session, month_of(today))
    return this if this.days and this.days[0] <= today else windows.of_month(session, previous_month(this.month))


class _Teller:
    def __init__(self, session: Session, window: Window, today: date, now: datetime) -> None:
        self.session, self.window, self.today, self.now = session, window, today, now
        people = session.execute(select(User).where(User.email.in_((MANAGER, TAREK, LUKAS)))).scalars()
        self.people = {user.email: user.id for user in people}
        self.products: dict[str, int] = {}

    def tell(self) -> None:
        self._catalogue()
        for story in DONE:
            self._approve(self._test(self._enter(story), story), story)
        for story in (DOTNET, CHROME):
            self._test(self._enter(story), story)
        self._begin(self._enter(OFFICE), OFFICE)
        self._enter(READER)
        self._reject(self._test(self._enter(EXCHANGE), EXCHANGE))
        self._defer(self._enter(DSM))
        self._tick()
        self._withdraw(self._approve(self._test(self._enter(LEXWARE), LEXWARE), LEXWARE))
        self._plan_the_next_window()
        self._feeds()

    def _catalogue(self) -> None:
        """Sections and test plans; the endpoint protection runs on every workstation but two customers'."""
        stored = {row.name: row for row in self.session.execute(select(Product)).scalars()}
        by: dict[str, Any] = {"actor_id": None, "now": self._at(-60, 9)}
        for section, names in SECTIONS.items():
            for name in names:
                row = stored.get(name) or catalogue.add(self.session, name, vendor=self._vendor(name), **by)
                row.section, row.offered_by_us = section, True
                self.products[name] = row.id
        for name, items in PLANS.items():
            catalogue.save_plan(self.session, self.products[name], items, seen=0, **by)
        self._protect(late=False)

    def _protect(self, *, late: bool) -> None:
        """Endpoint protection on the workstations in contracts; `late` are those of two customers."""
        rows = self.session.execute(
            select(Device.id, Customer.number)
            .join(Customer, Customer.id == Device.customer_id)
            .join(ContractDevice, ContractDevice.device_id == Device.id)
            .where(Device.type.in_(("notebook", "desktop")))
            .order_by(Customer.number, Device.inventory_number)
        ).all()
        numbers = sorted({number for _, number in rows})[3:5]
        for device_id in dict.fromkeys(id_ for id_, number in rows if (number in numbers) is late):
            row = {"product": ENDPOINT, "vendor": "ESET", "version": "2026.2.1", "source": "ours"}
            self.session.add(DeviceProduct(device_id=device_id, **row))
        self.session.flush()

    def _enter(self, story: Story) -> Update:
        entry = Entry(
            vendor=self._vendor(story.product),
            title=story.title,
            version=story.version,
            severity=story.severity,
            released_on=self._day(story.released),
            products=(self.products[story.product],),
            kb_number=story.kb,
            link=f"https://updates.example/{story.kb or story.version.replace(' ', '-')}",
        )
        at = self._at(story.released, 18)
        return entering.enter(self.session, entry, origin="feed" if story.kb else "manual", actor_id=None, now=at)

    def _begin(self, update: Update, story: Story) -> int:
        tester = self.people[story.tester]
        at = self._at(story.tested or 0, 9)
        where = Where(tested_on="PT-TEST-SRV" if "Server" in story.product else "PT-TEST-03, Windows 11")
        check = checking.start(self.session, update.id, where, today=at.date(), actor_id=tester, now=at)
        if story.tested is None:
            checking.answer(self.session, check.id, 1, ItemState.PASSED, "", actor_id=tester, now=at)
        return check.id

    def _test(self, update: Update, story: Story) -> Update:
        check_id, at = self._begin(update, story), self._at(story.tested or 0, 10)
        by: dict[str, Any] = {"actor_id": self.people[story.tester], "now": at}
        points = checking.answers_of(self.session, check_id)
        given = [Answer(point.pos, ItemState.PASSED) for point in points]
        if story.result is Result.FAILED:
            given[-2] = Answer(points[-2].pos, ItemState.FAILED, story.note)
        checking.answer_all(self.session, check_id, given, **by)
        log = f"{story.title} {story.version}\nErgebnis: {story.result}\n".encode()
        checking.attach(self.session, check_id, "installation.log", log, **by)
        checking.finish(self.session, check_id, story.result, note=story.note, **by)
        return update

    def _approve(self, update: Update, story: Story, at: datetime | None = None) -> Update:
        at = at or self._at(story.approved or 0, 14)
        approving.approve(self.session, update.id, today=at.date(), actor_id=self.people[story.approver], now=at)
        return update

    def _reject(self, update: Update) -> None:
        approving.reject(
            self.session,
            update.id,
            "Outlook im Web lädt nicht mehr. Wir warten auf die korrigierte Fassung.",
            today=self.today,
            actor_id=self.people[MANAGER],
            now=self._at(0, 11),
        )

    def _defer(self, update: Update) -> None:
        until, why = self.today + timedelta(days=12), "Hersteller meldet Probleme mit verschlüsselten Ordnern."
        by: dict[str, Any] = {"today": self.today, "actor_id": self.people[TAREK], "now": self.now}
        approving.defer(self.session, update.id, until, why, **by)

    def _withdraw(self, update: Update) -> None:
        by: dict[str, Any] = {"today": self.today, "actor_id": self.people[MANAGER], "now": self.now}
        why, instruction = "Hersteller hat die Fassung zurückgezogen.", "Zurück auf Version 25.4."
        approving.withdraw(self.session, update.id, why, instruction, **by)

    def _plan_the_next_window(self) -> None:
        """Approved just now; what two customers got since is not planned yet."""
        self._approve(self._test(self._enter(ANTIVIRUS), ANTIVIRUS), ANTIVIRUS, self.now)
        self._protect(late=True)

    def _tick(self) -> None:
        """The window so far: nearly everything installed and verified, a few things failed."""
        tasks = list(
            self.session.execute(
                select(RolloutTask)
                .where(RolloutTask.window_month == self.window.month)
                .order_by(RolloutTask.planned_on, RolloutTask.id)
            ).scalars()
        )
        hard = next((task.customer_id for task in tasks[len(tasks) // 2 :]), None)
        failed = 0
        for place, task in enumerate(tasks):
            at = datetime.combine(task.planned_on, time(7, 30), BERLIN) + timedelta(minutes=place % 7 * 55)
            if at >= self.now - timedelta(minutes=30):
                continue
            task.changed_at = at
            if task.customer_id == hard and failed < 3:
                failed += 1
                task.status, task.reason = "failed", "Fehler 0x800f0922, zu wenig Platz auf der Systempartition"
                continue
            task.status, task.installed_at = "verified", at
            task.installed_by_id = task.verified_by_id = task.technician_id or self.people[TAREK]
            task.verified_at = at + timedelta(minutes=20)
        self.session.flush()

    def _feeds(self) -> None:
        """Switched off: a demo asks nothing of strangers."""
        for vendor, name, source in (
            ("Microsoft", None, "https://feeds.microsoft.example/sicherheitsupdates.rss"),
            ("Mozilla", "Firefox ESR", "https://feeds.mozilla.example/firefox-esr.atom"),
        ):
            feeds.save(
                self.session,
                None,
                source=source,
                vendor=vendor,
                product_id=self.products[name] if name else None,
                severity=Severity.IMPORTANT,
                active=False,
                actor_id=self.people[MANAGER],
                now=self._at(-60, 9),
            )

    def _vendor(self, product: str) -> str:
        found = select(Product.vendor).where(Product.name == product)
        return self.session.execute(found).scalar() or "ESET"

    def _day(self, days: int) -> date:
        return self.window.days[0] + timedelta(days=days)

    def _at(self, days: int, hour: int) -> datetime:
        """That many days from the window's first one, never after now."""
        return min(datetime.combine(self._day(days), time(hour), BERLIN), self.now)
