"""The protocol of a device's acceptance: what was looked at, what was found, who signed what; in German."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ptdash.documents import sheets
from ptdash.documents.german import day, time_of_day
from ptdash.domain.acceptance import ItemState, Outcome, Section

SECTIONS = {
    Section.HARDWARE: "Hardware",
    Section.SYSTEM: "System",
    Section.SECURITY: "Sicherheit",
    Section.HANDOVER: "Übergabe",
}
STATES = {
    ItemState.OPEN: "offen",
    ItemState.PASSED: "bestanden",
    ItemState.FAILED: "durchgefallen",
    ItemState.NOT_APPLICABLE: "entfällt",
}
OUTCOMES = {
    Outcome.ACCEPTED: "Abgenommen",
    Outcome.WITH_RESERVATIONS: "Abgenommen mit Vorbehalt",
    Outcome.REFUSED: "Abgelehnt",
}
MEANING = {
    Outcome.ACCEPTED: "Das Gerät kann in einen Wartungsvertrag aufgenommen werden.",
    Outcome.WITH_RESERVATIONS: "Das Gerät kann in einen Wartungsvertrag aufgenommen werden. Der Vorbehalt bleibt.",
    Outcome.REFUSED: "Das Gerät kann erst nach Nachbesserung und Nachprüfung in einen Wartungsvertrag.",
}


@dataclass(frozen=True)
class Item:
    """`taken_over` says when and by whom an earlier inspection found this; `photos` are small JPEGs."""

    section: Section
    text: str
    hint: str
    state: ItemState
    note: str
    taken_over: tuple[date, str] | None = None
    remedy: str = ""
    photos: Sequence[bytes] = ()


@dataclass(frozen=True)
class Protocol:
    """A signed inspection, or one under way (`signed_at` None): its preview."""

    device: str
    what: str
    serial_number: str
    type: str
    customer: str
    bought_from: str
    contract: str
    checklist: str
    round: int
    started_at: datetime | None
    signed_at: datetime | None
    signed_name: str
    outcome: Outcome | None
    note: str
    items: Sequence[Item]

    @property
    def name(self) -> str:
        """The file's name."""
        safe = "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in self.device)
        when = f"{self.signed_at:%Y-%m-%d}" if self.signed_at else "Entwurf"
        return f"Abnahmeprotokoll-{safe}-{when}.pdf"


def render(protocol: Protocol, company: Mapping[str, str], *, at: datetime) -> bytes:
    """The protocol as PDF; the same rows and the same instant give the same bytes."""
    return sheets.render("protocol", data(protocol, company), at=at)


def data(protocol: Protocol, company: Mapping[str, str]) -> dict[str, object]:
    """What the template shows, every value as text."""
    title = "Abnahmeprotokoll" if protocol.round == 1 else f"Abnahmeprotokoll, {protocol.round}. Prüfung"
    return {
        "company": dict(company),
        "title": f"{title} {protocol.device}",
        "draft": protocol.signed_at is None,
        "facts": [fact for fact in _facts(protocol) if fact[1]],
        "outcome": OUTCOMES[protocol.outcome] if protocol.outcome else "Noch nicht unterschrieben",
        "kind": protocol.outcome or "open",
        "meaning": MEANING[protocol.outcome] if protocol.outcome else "Entwurf: wird mit der Unterschrift fest.",
        "note": protocol.note,
        "sums": _sums(protocol.items),
        "sections": [_section(section, protocol.items) for section in Section if _of(section, protocol.items)],
        "signature": _signature(protocol),
    }


def _facts(protocol: Protocol) -> list[tuple[str, str]]:
    return [
        ("Gerät", protocol.what),
        ("Inventarnummer", protocol.device),
        ("Seriennummer", protocol.serial_number),
        ("Kunde", protocol.customer),
        ("Gekauft bei", protocol.bought_from),
        ("Für Vertrag", protocol.contract),
        ("Checkliste", protocol.checklist),
        ("Begonnen", _instant(protocol.started_at)),
    ]


def _sums(items: Sequence[Item]) -> str:
    counts = [(sum(item.state is state for item in items), word) for state, word in STATES.items()]
    parts = [f"{number} {word}" for number, word in counts if number]
    return f"{len(items)} Punkte: {', '.join(parts)}"


def _section(section: Section, items: Sequence[Item]) -> dict[str, object]:
    return {"title": SECTIONS[section], "items": [_item(item) for item in _of(section, items)]}


def _of(section: Section, items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item.section is section]


def _item(item: Item) -> dict[str, object]:
    taken_over = ""
    if item.taken_over:
        on, by = item.taken_over
        taken_over = f"übernommen: geprüft am {day(on)}, {by}"
    return {
        "text": item.text,
        "hint": item.hint,
        "state": item.state.value,
        "word": STATES[item.state],
        "note": item.note,
        "taken_over": taken_over,
        "remedy": item.remedy,
        "photos": [list(photo) for photo in item.photos],
    }


def _signature(protocol: Protocol) -> list[str]:
    if protocol.signed_at is None:
        return []
    return [protocol.signed_name, f"elektronisch unterschrieben am {_instant(protocol.signed_at)}"]


def _instant(value: datetime | None) -> str:
    return f"{day(value)}, {time_of_day(value)} Uhr" if value else ""
