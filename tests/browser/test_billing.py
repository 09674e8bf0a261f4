"""A manager closes a month, on the whole house: web, worker and scheduler under `ptdash up --demo`."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from ptdash.services.demo import PASSWORD
from tests.homes import temporary_home

pytestmark = pytest.mark.browser

OCTOBER = "/billing/2026-10"


@dataclass(frozen=True)
class House:
    """A running `ptdash up`: its address, and the environment in which commands find it."""

    address: str
    env: dict[str, str]


@pytest.fixture(scope="module")
def house(engine: Browser) -> Iterator[House]:
    """A demo that has just started, on the 22nd of November 2026."""
    with temporary_home() as home, (home.parent / "up.log").open("w") as log:
        env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
        env |= {"PTDASH_HOME": str(home), "PTDASH_TODAY": "2026-11-22"}
        command = [sys.executable, "-m", "ptdash.cli", "up", "--demo", "--port", str(free_port())]
        up = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert up.stdout is not None
            ready = up.stdout.readline()
            assert ready.startswith("ptdash ready on http://"), (home.parent / "up.log").read_text()
            yield House(ready.split()[-1], env)
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(60) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def manager(engine: Browser, house: House) -> Iterator[Page]:
    """The manager of the demo, signed in through the form."""
    context = engine.new_context(base_url=house.address, locale="de-DE", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.goto("/login")
    page.get_by_label("E-Mail").fill("miriam.vogt@pt.example")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Übersicht")).to_be_visible()
    yield page
    context.close()
    assert [line for line in said if "status of 422" not in line] == []


def test_a_manager_previews_closes_watches_and_opens_an_invoice_down_to_its_entries(manager: Page):
    page = manager
    page.get_by_role("link", name="Abrechnung").click()
    row = page.get_by_role("row", name=re.compile("Oktober 2026"))
    expect(row).to_contain_text("Offen, Abschluss möglich")
    expect(page.get_by_role("row", name=re.compile("September 2026"))).to_contain_text("Abgeschlossen")
    row.get_by_role("link", name="Oktober 2026", exact=True).click()

    # The preview: who would be parked and why, the totals, the difference to the month before.
    expect(page.get_by_role("heading", name="Periodenabschluss Oktober 2026")).to_be_visible()
    expect(
        page.get_by_text("Anschrift", exact=False).or_(page.get_by_text("Rechnungsadresse")).first
    ).to_be_visible()
    expect(page.get_by_role("heading", name="Vergleich zum Vormonat")).to_be_visible()
    gross = page.locator("#totals .big dd").inner_text()
    assert re.fullmatch(r"\d{1,3}(\.\d{3})*,\d\d\s€", gross)

    # The close, with the keyboard alone; the worker does the rest and the page follows.
    page.get_by_role("button", name="Oktober 2026 abschließen").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Nicht alle Kunden"))).to_be_visible(timeout=60_000)
    expect(page.locator("#period")).not_to_have_attribute("hx-trigger", re.compile(".*"))
    assert page.locator("#totals .big dd").inner_text() == gross, "the close gives what the preview said"
    page.get_by_role("link", name=re.compile("Zurückgestellt 3")).click()
    expect(page.locator("#results tbody tr")).to_have_count(3)
    page.get_by_role("link", name=re.compile("^Alle ")).click()

    # An invoice whose minutes went over, and the entry that crossed the limit.
    over = page.locator("#results tbody tr").filter(has=page.locator("td:nth-child(4) small")).first
    amount = over.locator("td:nth-child(4)").inner_text().split("\n")[0]
    over.get_by_role("link", name=re.compile("RE-2026-")).click()
    expect(page.get_by_role("heading", name=re.compile(r"Rechnung RE-2026-\d{5}"))).to_be_visible()
    line = page.locator("#lines tbody tr").filter(has_text="Mehrminuten")
    expect(line).to_contain_text(amount)
    line.get_by_text("Wie dieser Betrag zustande kommt").click()
    expect(line.locator("details p")).to_contain_text("min")
    line.get_by_role("link", name="Die Einträge dahinter").click()
    expect(page.locator("#entries tr.cross, #entries .neg").first).to_be_visible()
    cents = [_cents(cell) for cell in page.locator("#entries tbody tr:has(.neg) .c-e").all_inner_texts()]
    assert sum(cents) == _cents(amount), "every cent of the line is in its entries"


def test_the_next_month_waits_until_nobody_is_parked(manager: Page):
    page = manager
    page.goto("/billing/2026-11")
    expect(page.get_by_text("Oktober 2026 ist noch offen", exact=False)).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("abschließen"))).to_have_attribute("aria-disabled", "true")


def test_a_manager_mends_what_was_parked_and_the_month_closes(manager: Page):
    page = manager
    page.goto(f"{OCTOBER}?show=parked")

    _parked(page, "Reisebüro").get_by_role("link", name=re.compile("^Beheben")).click()
    page.get_by_label("Straße").fill("Am Markt 4")
    page.get_by_role("button", name="Speichern").click()

    page.goto(f"{OCTOBER}?show=parked")
    _parked(page, "Steuerberatung").get_by_role("link", name=re.compile("^Beheben")).click()
    page.get_by_label("Abrechnungsart", exact=True).select_option("Kulanz")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("alert")).to_contain_text("Kulanz braucht einen Grund")
    page.get_by_label("Abrechnungsart", exact=True).select_option("Paket")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_text("Jeder Eintrag hat seine Abrechnungsart")).to_be_visible()

    page.goto(f"{OCTOBER}?show=parked")
    _parked(page, "Weingut").get_by_role("link", name=re.compile("^Beheben")).click()
    page.get_by_label("USt.", exact=True).select_option("reverse_charge")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("alert")).to_contain_text("Grund der Entscheidung")
    page.get_by_label("Grund der Entscheidung").fill("Leistungsort Schweiz")
    page.get_by_label("USt-IdNr.", exact=True).fill("CHE123456789")
    page.get_by_role("button", name="Speichern").click()

    page.goto(OCTOBER)
    page.locator(".page-h").get_by_role("button", name=re.compile("versuchen")).click()
    expect(page.locator(".page-h .tag")).to_have_text("abgeschlossen", timeout=60_000)
    expect(page.get_by_role("link", name=re.compile("Zurückgestellt 0"))).to_be_visible()


def test_an_invoice_is_cancelled_and_its_month_billed_again(manager: Page):
    page = manager
    page.goto(OCTOBER)
    page.get_by_role("link", name=re.compile("RE-2026-")).last.click()
    original = page.get_by_role("heading", level=1).inner_text().split()[-1]
    invoice = page.url
    gross = page.locator("#totals .big dd").inner_text()
    page.get_by_role("link", name="Rechnung stornieren").click()
    page.get_by_role("button", name=re.compile("stornieren$")).click()
    expect(page.get_by_role("alert")).to_contain_text("Nennen Sie einen Grund")
    page.get_by_label("Grund").fill("Falscher Ansprechpartner")
    page.get_by_role("button", name=re.compile("stornieren$")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Stornorechnung RE-2026-")
    assert page.locator("#totals .big dd").inner_text() == f"−{gross}"

    page.goto(invoice)
    expect(page.get_by_text("Falscher Ansprechpartner")).to_be_visible()
    page.get_by_role("button", name="Oktober 2026 neu abrechnen").click()
    page.wait_for_url(lambda url: "/invoices/RE" in url and original not in url, timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rechnung RE-2026-")
    assert page.locator("#totals .big dd").inner_text() == gross


def test_a_late_entry_rides_on_the_next_invoice_with_its_explanation(manager: Page, house: House, tmp_path: Path):
    """Booked for October after its close; it comes in by import."""
    (tmp_path / "tickets.csv").write_text(
        "number;customer;channel;category;concern;product;subject;status;priority;created_at\n"
        "90001;10010;phone;software;question;VPN;Nachtrag;closed;normal;2026-10-20 09:00\n",
        encoding="utf-8",
    )
    (tmp_path / "time_entries.csv").write_text(
        "external_id;ticket;technician;started_at;minutes;treatment;note\n"
        "Z90001;90001;tarek.kaya@pt.example;2026-10-20 09:05;40;separate;Vergessen zu buchen\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "ptdash.cli", "import", str(tmp_path)]
    done = subprocess.run(command, env=house.env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr

    page = manager
    page.goto("/billing/2026-11/customers/10010")
    line = page.locator("#lines tbody tr").filter(has_text="Anpassung Oktober 2026 zu RE-2026-")
    expect(line).to_contain_text("60,00")
    line.get_by_text("Wie dieser Betrag zustande kommt").click()
    expect(line.locator("details p")).to_contain_text("#90001")
    expect(line.locator("details p")).to_contain_text("40 min".replace(" ", "\N{NO-BREAK SPACE}"))


def _parked(page: Page, name: str) -> Locator:
    return page.locator("#results tbody tr").filter(has_text=name)


def _cents(text: str) -> int:
    return int(re.sub(r"\D", "", text))
