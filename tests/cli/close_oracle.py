"""What a month comes to, from the import files alone: a second reading of the rules, without the program.

Slow and plain: days are walked, fractions are exact, nothing is kept but what invoices were expected before.
"""

import csv
from calendar import monthrange
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
BUILT_IN = {
    "package_S": ("15", 10),
    "package_M": ("40", 30),
    "package_L": ("80", 60),
    "vat_standard": ("19", None),
}
NEVER = date.max


# Cells


def amount(cell: str) -> Fraction:
    return Fraction(cell.replace(".", "").replace(",", ".") if "," in cell else cell)


def day(cell: str) -> date | None:
    if "." in cell:
        cell = "-".join(reversed(cell.split(".")))
    return date.fromisoformat(cell) if cell else None


def sure_day(cell: str) -> date:
    found = day(cell)
    assert found
    return found


def moment(cell: str) -> datetime:
    if cell[2] == ".":
        cell = f"{cell[6:10]}-{cell[3:5]}-{cell[:2]}{cell[10:]}"
    read = datetime.fromisoformat(cell)
    return (read if read.tzinfo else read.replace(tzinfo=BERLIN)).astimezone(UTC)


def half_up(value: Fraction) -> int:
    """Away from zero at the half."""
    cents = (abs(value) * 2 + 1) // 2
    return int(cents if value >= 0 else -cents)


def days_of(month: date) -> list[date]:
    return [month + n * DAY for n in range(monthrange(month.year, month.month)[1])]


# Contract lives


def months_later(on: date, months: int) -> date:
    """The same day number, or the month's last day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def term_end(start: date, months: int) -> date:
    if start.day == 1:
        return months_later(start, months) - DAY
    end = months_later(start, months)
    return end - DAY if end.day == start.day else end


def deadline(end: date, months: int) -> date:
    on = end
    while months_later(on, months) > end:
        on -= DAY
    return on


def end_by_notice(contract: dict[str, str], is_consumer: bool, notice: dict[str, str]) -> date:
    received = sure_day(notice["received_on"])
    if notice["kind"] == "extraordinary":
        return sure_day(notice["ends_on"])
    term = int(contract["term_months"])
    first_end = term_end(sure_day(contract["starts_on"]), term)
    if is_consumer:
        return max(first_end, months_later(received, 1))
    renewal = renewal_of(contract)
    end = first_end
    while renewal and deadline(end, int(contract["notice_months"])) < received:
        end = term_end(end + DAY, renewal)
    return end


def renewal_of(contract: dict[str, str]) -> int:
    cell = contract["renewal_months"] or ("6" if contract["kind"] == "support" else "12")
    return 0 if cell == "none" else int(cell)


def last_day(contract: dict[str, str], is_consumer: bool, notices: list[dict[str, str]]) -> date:
    ends = [end_by_notice(contract, is_consumer, n) for n in notices if not n["withdrawn_on"]]
    if not renewal_of(contract):
        ends.append(term_end(sure_day(contract["starts_on"]), int(contract["term_months"])))
    return min(ends, default=NEVER)


# The files


@dataclass
class Work:
    """A time entry: its Berlin day and whole minutes."""

    customer: str
    on: date
    minutes: int
    treatment: str


class Files:
    def __init__(self, directory: Path) -> None:
        self.rows: dict[str, list[dict[str, str]]] = defaultdict(list)
        for path in directory.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                self.rows[path.stem] = list(csv.DictReader(file, delimiter=";"))
        self.customers = {row["number"]: row for row in self.rows["customers"]}
        tickets = {row["number"]: row["customer"] for row in self.rows["tickets"]}
        self.work = [self._work(row, tickets) for row in self.rows["time_entries"]]
        self.materials = [(tickets[row["ticket"]], row) for row in self.rows["materials"]]
        self.ends = {row["number"]: self._end(row) for row in self.rows["contracts"]}

    def _work(self, row: dict[str, str], tickets: dict[str, str]) -> Work:
        start, minutes = moment(row["started_at"]), int(row["minutes"] or 0)
        if row["ended_at"]:
            seconds = Fraction((moment(row["ended_at"]) - start) / timedelta(microseconds=1)) / 1_000_000
            minutes = int(-(-seconds // 60))
        return Work(tickets[row["ticket"]], start.astimezone(BERLIN).date(), minutes, row["treatment"])

    def is_consumer(self, number: str) -> bool:
        return self.customers[number]["is_consumer"] in ("yes", "ja", "1")

    def _end(self, contract: dict[str, str]) -> date:
        notices = [n for n in self.rows["notices"] if n["contract"] == contract["number"]]
        return last_day(contract, self.is_consumer(contract["customer"]), notices)

    def price(self, item: str, month: date) -> tuple[Fraction, int]:
        """The net price and the included minutes of the newest row up to the month's first day."""
        found = {date(2024, 1, 1): BUILT_IN[item]} if item in BUILT_IN else {}
        for row in self.rows["prices"]:
            if row["item"] == item:
                found[sure_day(row["valid_from"])] = (row["net"], row["included_minutes"])
        net, minutes = found[max(since for since in found if since <= month)]
        return amount(net), int(minutes or 0)

    def contracts(self, customer: str, kind: str, month: date) -> list[tuple[dict[str, str], list[date]]]:
        """The customer's contracts with the days of the month on which they run."""
        found = []
        for row in self.rows["contracts"]:
            if (row["customer"], row["kind"]) == (customer, kind):
                start, end = sure_day(row["starts_on"]), self.ends[row["number"]]
                if days := [on for on in days_of(month) if start <= on <= end]:
                    found.append((row, days))
        return found

    def package(self, contract: dict[str, str], on: date) -> str:
        changes = [(contract["starts_on"] and date.min, contract["package"])]
        changes += [
            (sure_day(row["effective_on"]), row["package"])
            for row in self.rows["package_changes"]
            if row["contract"] == contract["number"] and sure_day(row["effective_on"]) <= on
        ]
        return max(changes)[1]

    def vat(self, number: str, month: date) -> tuple[str, Fraction] | None:
        customer = self.customers[number]
        country = (customer["country"] or "DE").upper()
        if country == "DE":
            return "S", self.price("vat_standard", month)[0]
        if country in EU and customer["vat_id"] and not self.is_consumer(number):
            return "AE", Fraction(0)
        return None


# One customer's month


@dataclass
class Month:
    settlements: list[dict] = field(default_factory=list)
    lines: list[dict] = field(default_factory=list)

    @property
    def net(self) -> int:
        return sum(line["net_cents"] for line in self.lines)


def line(
    kind: str, contract: str | None, quantity: Fraction, unit: str, price: Fraction, days: list[date]
) -> dict:
    return {
        "kind": kind,
        "contract": contract,
        "quantity": quantity,
        "unit": unit,
        "unit_price": price,
        "net_cents": half_up(quantity * price * 100),
        "service_from": days[0].isoformat(),
        "service_until": days[-1].isoformat(),
    }


def owed(files: Files, customer: str, month: date) -> Month:
    result, one, whole = Month(), Fraction(1), days_of(month)
    work = [w for w in files.work if w.customer == customer and w.on in whole]
    with_package: set[date] = set()
    overage_rate, separate_rate = (files.price(f"{name}_minute", month)[0] for name in ("overage", "separate"))
    for row, days in files.contracts(customer, "support", month):
        with_package |= set(days)
        package = files.package(row, days[0])
        net, minutes = files.price(f"package_{package}", month)
        included = int(-(-Fraction(minutes * len(days), len(whole)) // 1))
        used = sum(w.minutes for w in work if w.treatment == "package" and w.on in days)
        over = max(used - included, 0)
        base, over_cents = half_up(net * len(days) / len(whole) * 100), half_up(over * overage_rate * 100)
        result.settlements.append(
            {
                "contract": row["number"],
                "customer": customer,
                "package": package,
                "included_minutes": included,
                "used_minutes": used,
                "covered_minutes": used - over,
                "overage_minutes": over,
                "expired_minutes": included - used + over,
                "base_cents": base,
                "overage_cents": over_cents,
            }
        )
        result.lines.append(line("package_fee", row["number"], one, "month", Fraction(base, 100), days))
        result.lines.append(line("overage", row["number"], Fraction(over), "minute", overage_rate, days))
    separate = sum(
        w.minutes
        for w in work
        if w.treatment == "separate" or (w.treatment == "package" and w.on not in with_package)
    )
    result.lines.append(line("separate", None, Fraction(separate), "minute", separate_rate, whole))
    for row, days in files.contracts(customer, "maintenance", month):
        fee = half_up(amount(row["monthly_fee"]) * len(days) / len(whole) * 100)
        result.lines.append(line("maintenance_fee", row["number"], one, "month", Fraction(fee, 100), days))
        shares: dict[int, list[list[date]]] = defaultdict(list)
        for device in files.rows["contract_devices"]:
            since, until = sure_day(device["included_from"]), day(device["included_until"]) or NEVER
            if device["contract"] == row["number"] and (inside := [on for on in days if since <= on <= until]):
                share = half_up(amount(device["monthly_fee"]) * len(inside) / len(whole) * 100)
                shares[share].append(inside)
        for cents, spans in shares.items():
            span = [min(s[0] for s in spans), max(s[-1] for s in spans)]
            pieces = Fraction(len(spans))
            result.lines.append(line("device_fee", row["number"], pieces, "piece", Fraction(cents, 100), span))
    for owner, row in files.materials:
        if owner == customer and (on := sure_day(row["day"])) in whole:
            quantity, net = amount(row["quantity"]), amount(row["net"])
            result.lines.append(line("material", None, quantity, "piece", net, [on]))
    result.lines = [found for found in result.lines if found["net_cents"]]
    return result


# All customers, month by month


class Oracle:
    """Keeps what was billed before: the next close takes the difference."""

    def __init__(self) -> None:
        self.closed: list[date] = []
        self.issued: dict[tuple[str, date], Counter] = defaultdict(Counter)
        self.vat: dict[tuple[str, date], tuple[str, Fraction] | None] = {}
        self.settled: dict[tuple[str, date], list[dict]] = {}
        self.documents: dict[date, list[dict]] = defaultdict(list)
        self.numbers: Counter = Counter()

    def close(self, files: Files, month: date) -> dict:
        """The document of a close; the next one builds on it."""
        parked = []
        for number in sorted(files.customers):
            if (number, month) in self.vat:
                continue
            code = self._post(files, number, month)
            if code:
                parked.append((number, code))
        if month not in self.closed:
            self.closed.append(month)
        return self.document(month) | {"parked": parked}

    def document(self, month: date) -> dict:
        settlements = [s for (_, m), rows in self.settled.items() if m == month for s in rows]
        invoices = sorted(self.documents[month], key=lambda i: (i["customer"], i["period"]))
        return {
            "settlements": sorted(settlements, key=lambda s: s["contract"]),
            "invoices": invoices,
            "totals": {k: sum(i[k] for i in invoices) for k in ("net_cents", "vat_cents", "gross_cents")},
        }

    def _post(self, files: Files, number: str, month: date) -> str | None:
        """Everything of one customer or, with a reason to park it, nothing."""
        found: list[tuple[date, list[dict]]] = []
        taken: list[tuple[date, Month, tuple[str, Fraction] | None]] = []
        for m in [*(m for m in self.closed if (number, m) not in self.vat and m < month), month]:
            result = owed(files, number, m)
            vat = files.vat(number, m) if result.lines else None
            if m < month and not result.lines and not result.settlements and not untreated(files, number, m):
                continue
            code = obstacle(files, number, m, result.lines, vat)
            lines = [row | {"vat": vat, "month": m} for row in result.lines]
            if m == month and not code:
                held = [earlier for earlier in self.closed if (number, earlier) in self.vat]
                for earlier in held:
                    now = owed(files, number, earlier)
                    posted = self.vat[number, earlier] or (files.vat(number, earlier) if now.lines else None)
                    code = code or obstacle(files, number, earlier, now.lines, posted)
                    taken.append((earlier, now, posted))
                lines += self._adjustments(files, number, month, lines, taken)
            if not code and lines and not address_is_whole(files, number):
                code = "missing_address"
            if code:
                return code if m == month or code == "missing_address" else "earlier_month_blocked"
            found.append((m, lines))
            taken.append((m, result, vat))
        for m, lines in found:
            if lines:
                self._issue(number, month, m, lines)
        for m, result, vat in taken:
            self.settled[number, m], self.vat[number, m] = result.settlements, vat
        return None

    def _adjustments(self, files: Files, number: str, month: date, own: list[dict], taken: list) -> list[dict]:
        differences: list[tuple[date, tuple, int]] = []
        for earlier, result, vat in taken:
            if earlier == month or (number, earlier) not in self.vat:
                continue
            due = Counter({vat: result.net} if vat else {})
            due.subtract(self.issued[number, earlier])
            differences += [(earlier, rate, cents) for rate, cents in due.items() if cents]
        room: Counter = Counter()
        for row in own:
            room[row["vat"]] += row["net_cents"]
        lasts = days_of(month)[-1]
        runs_on = any(
            row["customer"] == number and sure_day(row["starts_on"]) <= lasts <= files.ends[row["number"]]
            for row in files.rows["contracts"]
        )
        ride = [d for d in differences if d[2] > 0]
        for _, rate, cents in ride:
            room[rate] += cents
        for earlier, rate, cents in sorted((d for d in differences if d[2] < 0), key=lambda d: d[0]):
            covered = max(cents, -room[rate]) if runs_on else cents
            room[rate] += covered
            ride += [(earlier, rate, covered)] if covered else []
        return [
            line("adjustment", None, Fraction(1), "piece", Fraction(cents, 100), days_of(earlier))
            | {"vat": rate, "month": earlier}
            for earlier, rate, cents in ride
        ]

    def _issue(self, number: str, run: date, period: date, lines: list[dict]) -> None:
        by_rate: Counter = Counter()
        for row in lines:
            by_rate[row["vat"]] += row["net_cents"]
            self.issued[number, row["month"]][row["vat"]] += row["net_cents"]
        net, vat = sum(by_rate.values()), sum(half_up(n * rate / 100) for (_, rate), n in by_rate.items())
        self.documents[run].append(
            {
                "period": f"{period:%Y-%m}",
                "customer": number,
                "net_cents": net,
                "vat_cents": vat,
                "gross_cents": net + vat,
                "lines": [{k: v for k, v in row.items() if k != "month"} for row in lines],
            }
        )


def untreated(files: Files, number: str, month: date) -> bool:
    return any(w.customer == number and w.on in days_of(month) and not w.treatment for w in files.work)


def address_is_whole(files: Files, number: str) -> bool:
    return all(files.customers[number][name] for name in ("name", "street", "postal_code", "city"))


def obstacle(files: Files, number: str, month: date, lines: list[dict], vat: tuple | None) -> str | None:
    if untreated(files, number, month):
        return "missing_treatment"
    return "unclear_vat" if lines and vat is None else None


def not_billed(files: Files, begin: date) -> list[dict]:
    """Work and material of months before the books."""
    found: dict[str, dict] = {}
    blank = {"entries": 0, "minutes": 0, "materials": 0}
    for work in files.work:
        if work.on < begin:
            row = found.setdefault(f"{work.on:%Y-%m}", dict(blank))
            row["entries"], row["minutes"] = row["entries"] + 1, row["minutes"] + work.minutes
    for _, material in files.materials:
        if (on := sure_day(material["day"])) < begin:
            found.setdefault(f"{on:%Y-%m}", dict(blank))["materials"] += 1
    return [{"month": month, **found[month]} for month in sorted(found)]


def invoice_numbers(business_days: list[date]) -> list[str]:
    """Those of so many invoices issued one after the other, each on its day."""
    counters: dict[int, count] = defaultdict(lambda: count(1))
    return [f"RE-{on.year}-{next(counters[on.year]):05d}" for on in business_days]
