"""The renewals page's figures and order; and random companies against a calculation that walks day by day."""

import random
from contextlib import suppress
from datetime import date, timedelta

import pytest

from ptdash.domain.terms import ContractFacts, Notice
from ptdash.models import User
from ptdash.services import contracts, decisions, renewals
from tests.company import Company
from tests.conftest import NOW
from tests.counting import queries
from tests.domain.test_terms_brute_force import slow_lifecycle
from tests.services.import_bundle import run

TODAY = date(2026, 11, 17)
DAY = timedelta(days=1)


@pytest.fixture
def company(session):
    return Company(session)


def numbers(session, today=TODAY, **filters):
    return [row.number for row in renewals.matching(renewals.load(session, today), **filters)]


def test_what_asks_first_comes_first(session, company):
    company.support(company.customer(), number="SV-1", starts_on=date(2026, 9, 1))
    company.support(company.customer(), number="SV-2", starts_on=date(2026, 6, 1))
    company.support(company.customer(), number="SV-3", starts_on=date(2026, 1, 1))
    company.support(company.customer(), number="SV-4", ends_before=date(2026, 12, 1))
    assert numbers(session) == ["SV-3", "SV-1", "SV-2", "SV-4"]


def test_the_figures(session, company):
    company.support(company.customer(), "L", number="SV-1")  # deadline 30 Nov 2026
    company.support(company.customer(), "M", number="SV-2", starts_on=date(2026, 8, 1))  # deadline 31 Dec 2026
    company.support(company.customer(), "S", number="SV-3", ends_before=date(2026, 12, 1))
    company.support(company.customer(), "S", number="SV-4", ends_before=date(2026, 11, 1))
    company.support(company.customer(), "S", number="SV-5", starts_on=date(2026, 12, 1))
    found = renewals.figures(renewals.load(session, TODAY))
    assert (found.running, found.recurring_cents) == (3, 13500)
    assert (found.soon, found.soon_cents, found.later, found.later_cents) == (1, 8000, 2, 12000)
    assert (found.notices, found.lost_cents, found.lost_from) == (1, 1500, date(2026, 12, 1))
    assert found.to_decide == 1


def test_searching_and_filtering(session, company):
    company.support(company.customer(name="Müller & Söhne Metallbau"), number="SV-1")
    company.maintenance(company.customer(name="Physio am Markt"), number="WV-1", starts_on=date(2026, 7, 1))
    assert numbers(session, words="mueller metall") == ["SV-1"]
    assert numbers(session, words="wv-1") == ["WV-1"]
    assert numbers(session, kind="maintenance") == ["WV-1"]
    assert numbers(session, within_days=30) == ["SV-1"]


def test_five_hundred_contracts_need_as_many_queries_as_one(session, company):
    def count():
        session.flush()
        session.expire_all()
        with queries() as seen:
            renewals.load(session, TODAY)
        return len(seen)

    company.support(company.customer())
    few = count()
    for _ in range(100):
        customer = company.customer()
        company.support(customer)
        company.include(company.maintenance(customer), company.device(customer))
    assert count() == few


@pytest.mark.parametrize("seed", range(6))
def test_random_companies_against_a_calculation_day_by_day(session, tmp_path, seed):
    dice = random.Random(seed)
    facts = {f"V-{n}": random_facts(dice) for n in range(40)}
    result = run(session, tmp_path, as_files(facts))
    assert result.ok, result.errors[:3]
    days = [date(2024, 1, 1) + DAY * dice.randrange(1600) for _ in range(12)]
    for day in days:
        found = {row["contract"]: row for row in contracts.renewals(session, day)}
        for number, known in facts.items():
            assert told(found[number]) == expected(known, day), (number, known, day)
    before = [contracts.renewals(session, day) for day in days]
    decide_whatever_can_be_decided(session, date(2025, 6, 15))
    after = [[row for row in contracts.renewals(session, day) if row["contract"] in facts] for day in days]
    assert after == before


def random_facts(dice: random.Random) -> ContractFacts:
    starts_on = date(2024, 1, 1) + DAY * dice.randrange(900)
    is_consumer = dice.random() < 0.3
    given = {}
    for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
        received_on = starts_on + DAY * dice.randrange(0, 600)
        ends_on = received_on + DAY * dice.randrange(300) if dice.random() < 0.3 else None
        given[received_on] = Notice(received_on, "extraordinary" if ends_on else "ordinary", ends_on)
    months = dice.choice((1, 3, 6, 12, 24))
    facts = ContractFacts(
        starts_on,
        months,
        1 if is_consumer else dice.choice((1, 2, 3)),
        dice.choice((None, 1, 6, 12)),
        is_consumer,
        tuple(given.values()),
    )
    return with_one_withdrawn(dice, facts)


def with_one_withdrawn(dice: random.Random, facts: ContractFacts) -> ContractFacts:
    """The first notice is taken back on the day of its receipt, while the contract still runs."""
    if not facts.notices or dice.random() < 0.5:
        return facts
    first = min(facts.notices, key=lambda notice: notice.received_on)
    others = tuple(notice for notice in facts.notices if notice is not first)
    alone = ContractFacts(*(getattr(facts, f) for f in FACTS), notices=(first,))
    end = slow_lifecycle(alone, first.received_on).ends_on
    if end is None or first.received_on > end:
        return facts
    taken_back = Notice(first.received_on, first.kind, first.ends_on, first.received_on)
    return ContractFacts(*(getattr(facts, f) for f in FACTS), notices=(taken_back, *others))


FACTS = ("starts_on", "term_months", "notice_months", "renewal_months", "is_consumer")


def as_files(facts: dict[str, ContractFacts]) -> dict[str, str]:
    customers = ["number;name;is_consumer"]
    rows = ["number;customer;kind;starts_on;term_months;notice_months;renewal_months;monthly_fee"]
    given = ["contract;received_on;kind;ends_on;channel;withdrawn_on"]
    for number, known in facts.items():
        customers.append(f"K{number};Kunde {number};{'yes' if known.is_consumer else 'no'}")
        rows.append(
            f"{number};K{number};maintenance;{known.starts_on};{known.term_months};{known.notice_months};"
            f"{known.renewal_months or 'none'};10.00"
        )
        for notice in known.notices:
            ends_on, withdrawn_on = notice.ends_on or "", notice.withdrawn_on or ""
            given.append(f"{number};{notice.received_on};{notice.kind};{ends_on};letter;{withdrawn_on}")
    files = {"customers.csv": customers, "contracts.csv": rows, "notices.csv": given}
    return {name: "\n".join(lines) for name, lines in files.items()}


def expected(known: ContractFacts, day: date) -> dict:
    life = slow_lifecycle(known, day)
    return {
        "state": life.state.value,
        "term_starts_on": life.term_starts_on,
        "term_ends_on": life.term_ends_on,
        "notice_deadline": life.notice_deadline,
        "renews_on": life.renews_on,
        "ends_on": life.ends_on,
    }


def told(row: dict) -> dict:
    days = ("term_starts_on", "term_ends_on", "notice_deadline", "renews_on", "ends_on")
    return {"state": row["state"]} | {day: row[day] and date.fromisoformat(row[day]) for day in days}


def decide_whatever_can_be_decided(session, today: date) -> None:
    """Renew every contract whose term can be renewed."""
    actor = User(email="m@pt.example", name="M", role="manager")
    session.add(actor)
    session.flush()
    for row in renewals.load(session, today):
        with suppress(decisions.NothingToDecide, decisions.AlreadyFollowed):
            decisions.decide(session, row.number, "renew", today=today, now=NOW, actor_id=actor.id)
