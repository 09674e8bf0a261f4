"""The protocol of an acceptance as PDF: from what was signed, the same bytes every time."""

from datetime import timedelta

from ptdash.documents import protocol
from ptdash.domain.acceptance import ItemState, Outcome
from ptdash.services import settings
from ptdash.services.acceptances import photos, protocols, reading, signing
from tests.services.acceptances.inspection import NOW, Bench, later
from tests.services.acceptances.test_photos import picture


def signed(bench: Bench) -> int:
    """Refused for two faults, with a photo; one remedied and inspected again."""
    device = bench.device
    device.manufacturer, device.model, device.serial_number = "Microsoft", "Surface Laptop 5", "0F37 4K82 11"
    device.purchased_from = "Amazon"
    bench.propose()
    first = bench.start()
    photos.attach(
        bench.session, first.id, 2, "a.jpg", picture(size=(800, 600)), actor_id=bench.technician.id, now=NOW
    )
    bench.answer(first, 2, ItemState.FAILED, "BitLocker war nicht aktiv.")
    bench.answer(first, 5, ItemState.NOT_APPLICABLE, "Keine lokalen Daten")
    bench.answer_rest(first)
    bench.sign(first, Outcome.REFUSED, at=NOW + timedelta(minutes=30))
    return first.id


def test_a_signed_protocol_is_the_same_every_time(bench: Bench) -> None:
    first = signed(bench)
    name, content = protocols.pdf(bench.session, first, now=NOW)
    assert content.startswith(b"%PDF-1.7")
    assert name.endswith("-2026-11-17.pdf")
    signing.remedy(bench.session, first, 2, "Aktiviert", actor_id=bench.technician.id, now=later(1))
    photos.attach(bench.session, first, 2, "b.jpg", picture(), actor_id=bench.technician.id, now=later(1))
    assert protocols.pdf(bench.session, first, now=later(5)) == (name, content)


def test_it_tells_every_item_with_its_result(bench: Bench) -> None:
    first = signed(bench)
    page = reading.page(bench.session, first)
    shown = protocol.data(protocols._protocol(bench.session, page), settings.company(bench.session))
    assert shown["outcome"] == "Abgelehnt"
    assert shown["sums"] == "14 Punkte: 12 bestanden, 1 durchgefallen, 1 entfällt"
    items = [item for section in shown["sections"] for item in section["items"]]
    assert [item["note"] for item in items if item["note"]] == [
        "BitLocker war nicht aktiv.",
        "Keine lokalen Daten",
    ]
    assert len(items[1]["photos"]) == 1


def test_a_reinspection_says_what_it_took_over_and_what_was_remedied(bench: Bench) -> None:
    first = signed(bench)
    signing.remedy(bench.session, first, 2, "Aktiviert", actor_id=bench.technician.id, now=later(1))
    second = bench.start(at=later(2))
    shown = protocol.data(
        protocols._protocol(bench.session, reading.page(bench.session, second.id)), settings.company(bench.session)
    )
    items = [item for section in shown["sections"] for item in section["items"]]
    assert items[0]["taken_over"] == "übernommen: geprüft am 17.11.2026, Tarek Kaya"
    assert (items[1]["state"], items[1]["remedy"]) == ("open", "Aktiviert")
    assert shown["draft"] is True
    name, content = protocols.pdf(bench.session, second.id, now=NOW)
    assert "Entwurf" in name
    assert content.startswith(b"%PDF-1.7")
