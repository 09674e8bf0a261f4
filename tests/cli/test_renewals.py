"""`ptdash renewals --on DAY` from files to answer, against a calculation that walks the same files day by day."""

import csv
import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask

from ptdash.domain.terms import ContractFacts, Notice
from tests.cli.test_commands import here
from tests.conftest import DATA
from tests.domain.test_terms_brute_force import slow_end, slow_lifecycle, slow_terms
from tests.services.import_bundle import HEADERS, write

DAY = timedelta(days=1)
BUILT_IN = {"S": "15.00", "M": "40.00", "L": "80.00"}
SIZES = "SML"
Answer = Callable[[date], dict[str, dict]]
Import = Callable[[Path], Answer]


@pytest.fixture
def imported(app: Flask, database_url: str, tmp_path: Path) -> Import:
    """Imports a directory; what the command answers on a day, by contract."""

    def import_all(directory: Path) -> Answer:
        done = here(tmp_path, "import", str(directory), "--json", DATABASE_URL=database_url)
        assert done.returncode == 0, done.stdout + done.stderr

        def on(day: date) -> dict[str, dict]:
            answer = here(tmp_path, "renewals", "--on", day.isoformat(), "--json", DATABASE_URL=database_url)
            assert answer.returncode == 0, answer.stderr
            rows = json.loads(answer.stdout)
            assert [row["contract"] for row in rows] == sorted(row["contract"] for row in rows)
            return {row["contract"]: row for row in rows}

        return on

    return import_all


# What the files say, read as simply as can be


def day_of(cell: str) -> date | None:
    return date.fromisoformat(cell) if cell else None


class Files:
    def __init__(self, directory: Path) -> None:
        self.rows = {}
        for name in ("customers", "contracts", "notices", "package_changes", "contract_devices", "prices"):
            path = directory / f"{name}.csv"
            with path.open(encoding="utf-8", newline="") as file:
                self.rows[name] = list(csv.DictReader(file, delimiter=";"))

    def turns(self) -> set[date]:
        """The days on which something happens to a contract, its package or its devices."""
        dated = (
            *(("notices", cell) for cell in ("received_on", "withdrawn_on", "ends_on")),
            *(("contract_devices", cell) for cell in ("included_from", "included_until")),
            *(("contracts", "starts_on"), ("package_changes", "effective_on"), ("prices", "valid_from")),
        )
        found = {day_of(row[cell]) for name, cell in dated for row in self.rows[name]}
        return {day for day in found if day}

    def expected(self, day: date) -> dict[str, dict]:
        return {row["number"]: self.one(row, day) for row in self.rows["contracts"]}

    def one(self, row: dict[str, str], day: date) -> dict:
        life = slow_lifecycle(self.facts(row), day)
        as_of = life.ends_on if life.state == "ended" else day
        return {
            "contract": row["number"],
            "customer": row["customer"],
            "kind": row["kind"],
            "state": str(life.state),
            "term_starts_on": life.term_starts_on.isoformat(),
            "term_ends_on": life.term_ends_on and life.term_ends_on.isoformat(),
            "notice_deadline": life.notice_deadline and life.notice_deadline.isoformat(),
            "renews_on": life.renews_on and life.renews_on.isoformat(),
            "ends_on": life.ends_on and life.ends_on.isoformat(),
            "monthly_net_cents": self.net(row, as_of),
        }

    def facts(self, row: dict[str, str]) -> ContractFacts:
        renewal = row["renewal_months"] or {"support": "6", "maintenance": "12"}[row["kind"]]
        customer = next(c for c in self.rows["customers"] if c["number"] == row["customer"])
        return ContractFacts(
            date.fromisoformat(row["starts_on"]),
            int(row["term_months"]),
            int(row["notice_months"]),
            None if renewal == "none" else int(renewal),
            customer["is_consumer"] in ("yes", "ja", "1"),
            tuple(
                Notice(day_of(n["received_on"]), n["kind"], day_of(n["ends_on"]), day_of(n["withdrawn_on"]))
                for n in self.rows["notices"]
                if n["contract"] == row["number"]
            ),
        )

    def net(self, row: dict[str, str], day: date) -> int | None:
        if row["kind"] == "support":
            package, changed = row["package"], date.min
            for change in self.rows["package_changes"]:
                on = date.fromisoformat(change["effective_on"])
                if change["contract"] == row["number"] and changed < on <= day:
                    package, changed = change["package"], on
            return self.price(package, day)
        fees = [Decimal(row["monthly_fee"])]
        for device in self.rows["contract_devices"]:
            since, until = day_of(device["included_from"]), day_of(device["included_until"])
            if device["contract"] == row["number"] and since <= day and (until is None or day <= until):
                fees.append(Decimal(device["monthly_fee"]))
        return int(sum(fees) * 100)

    def price(self, package: str, day: date) -> int | None:
        dated = {date(2024, 1, 1): BUILT_IN[package]}
        for row in self.rows["prices"]:
            if row["item"] == f"package_{package}":
                dated[date.fromisoformat(row["valid_from"])] = row["net"]
        known = [since for since in dated if since <= day]
        return int(Decimal(dated[max(known)]) * 100) if known else None


# The sample


def test_the_sample_on_days_of_four_years(imported: Import):
    on, files = imported(DATA / "sample"), Files(DATA / "sample")
    days = {date(2023, 12, 31), date(2024, 2, 29), date(2026, 10, 12), date(2026, 10, 20), date(2026, 10, 21)}
    days |= {date(2024, 1, 1) + 67 * n * DAY for n in range(22)}
    for happens in files.turns():
        days |= {happens - DAY, happens}
    for day in sorted(days):
        assert on(day) == files.expected(day), day


# Companies that never were


@dataclass
class Invented:
    """Contracts with everything that can happen to them, as files that break no rule."""

    dice: random.Random

    def __post_init__(self) -> None:
        self.files: dict[str, list[str]] = {f"{name}.csv": [] for name in NAMES}
        self.devices = 0
        for n in range(24):
            self.contract(n)
        for year, net in ((2025, "17.50"), (2026, "42.25"), (2027, "19.99")):
            item = self.dice.choice(SIZES)
            self.add("prices", f"package_{item}", f"{year}-0{self.dice.randint(1, 9)}-01", net, "30")

    def add(self, name: str, *cells: object) -> None:
        self.files[f"{name}.csv"].append(";".join("" if cell is None else str(cell) for cell in cells))

    def written(self, directory: Path) -> Path:
        texts = {name: "\n".join([HEADERS[name], *rows]) + "\n" for name, rows in self.files.items()}
        return write(directory, texts)

    def contract(self, n: int) -> None:
        dice, kind = self.dice, self.dice.choice(("support", "maintenance"))
        number, customer, is_consumer = f"V-{n:03}", f"K{n}", dice.random() < 0.3
        starts_on = date(2024, 1, 1) + DAY * dice.randrange(900)
        if dice.random() < 0.4:
            starts_on = starts_on.replace(day=1) - DAY * dice.choice((0, 1, 2, 3))
        facts = ContractFacts(
            starts_on,
            dice.choice((1, 3, 6, 6, 12, 24)),
            1 if is_consumer else dice.choice((1, 1, 2, 3, 7)),
            dice.choice((None, 1, 6, 6, 12)),
            is_consumer,
        )
        package = dice.choice(SIZES) if kind == "support" else None
        fee = f"{dice.randrange(10000) / 100:.2f}" if kind == "maintenance" else None
        self.add("customers", customer, f"Kunde {n}", *[""] * 5, "DE", "", "yes" if is_consumer else "no")
        months = (facts.term_months, facts.notice_months, facts.renewal_months or "none")
        self.add("contracts", number, customer, kind, package, starts_on, *months, fee)
        end = self.notices(number, facts)
        if package:
            self.changes(number, facts, package, end)
        else:
            for _ in range(dice.randrange(4)):
                self.device(number, customer, starts_on, end)

    def notices(self, number: str, facts: ContractFacts) -> date | None:
        """Up to three, from long before the start on; some taken back while the contract still ran."""
        dice, known = self.dice, list[Notice]()
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            received_on = facts.starts_on + DAY * dice.randrange(-120, 700)
            ends_on = None
            if dice.random() < 0.3:
                ends_on = max(received_on, facts.starts_on) + DAY * dice.randrange(300)
            if all(notice.received_on != received_on for notice in known):
                known.append(Notice(received_on, "extraordinary" if ends_on else "ordinary", ends_on))
        for at, notice in enumerate(known):
            withdrawn_on = notice.received_on + DAY * dice.choice((0, 1, 15, 40))
            before = replace(facts, notices=tuple(n for n in known if n.received_on <= withdrawn_on))
            end = slow_lifecycle(before, withdrawn_on).ends_on
            if dice.random() < 0.4 and end is not None and withdrawn_on <= end:
                known[at] = replace(notice, withdrawn_on=withdrawn_on)
        for notice in known:
            days = (notice.received_on, notice.kind, notice.ends_on, "letter", notice.withdrawn_on)
            self.add("notices", number, *days)
        ends = [slow_end(facts, notice) for notice in known if notice.withdrawn_on is None]
        if facts.renewal_months is None:
            ends.append(slow_terms(facts, facts.starts_on)[0][1])
        return min(ends, default=None)

    def changes(self, number: str, facts: ContractFacts, package: str, end: date | None) -> None:
        """Upgrades on firsts of months, downgrades on the first days of terms, while the contract runs."""
        last = end or facts.starts_on + 900 * DAY
        firsts = {first for first, _, _ in slow_terms(facts, last)}
        on = facts.starts_on
        while on <= last:
            wanted = self.dice.choice(SIZES)
            bigger = SIZES.index(wanted) > SIZES.index(package)
            if self.dice.random() < 0.2 and wanted != package and (on.day == 1 if bigger else on in firsts):
                self.add("package_changes", number, on, wanted)
                package = wanted
            on += DAY

    def device(self, number: str, customer: str, starts_on: date, end: date | None) -> None:
        dice, self.devices = self.dice, self.devices + 1
        name = f"D{self.devices}"
        self.add("devices", name, customer, "server", name, "", "", "", "yes", "", "", "", "no")
        since = starts_on + DAY * dice.randrange(max(((end - starts_on).days if end else 500), 1))
        until = since + DAY * dice.randrange(200) if dice.random() < 0.5 else None
        with suppress(TypeError):
            until = min(until, end)
        self.add("contract_devices", number, name, since, until, f"{dice.randrange(5000) / 100:.2f}")


NAMES = ("customers", "contracts", "notices", "package_changes", "contract_devices", "prices", "devices")


@pytest.mark.parametrize("seed", range(5))
def test_any_company_on_any_day(imported: Import, tmp_path: Path, seed: int):
    dice = random.Random(seed)
    directory = Invented(dice).written(tmp_path / "bundle")
    on, files = imported(directory), Files(directory)
    turns = sorted(files.turns())
    days = {date(2023, 9, 1) + DAY * dice.randrange(1700) for _ in range(8)}
    days |= {turn + DAY * dice.choice((-1, 0, 1)) for turn in dice.sample(turns, 12)}
    for day in sorted(days):
        assert on(day) == files.expected(day), day
