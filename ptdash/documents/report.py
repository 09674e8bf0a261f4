"""The maintenance report: what was checked by us, installed where and by whom, and what is open; in German."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from babel.dates import format_date

from ptdash.documents import sheets
from ptdash.documents.german import LOCALE, day, month, time_of_day
from ptdash.documents.letters import Letter
from ptdash.domain.rollout import Why

STATES = {
    "planned": "Eingeplant",
    "installed": "Installiert, Prüfung offen",
    "reboot_pending": "Neustart ausstehend",
    "verified": "Geprüft",
    "failed": "Fehlgeschlagen",
    "skipped": "Übersprungen",
    "missed": "Verpasst",
    "not_applicable": "Nicht zutreffend",
    "rolled_back": "Zurückgesetzt",
    "stopped": "Nicht installiert",
}
BAD = ("failed", "rolled_back", "stopped")
REASONS = {
    Why.WINDOW_OVER.value: "im Wartungsfenster nicht erreicht",
    Why.NOT_COVERED.value: "Gerät nicht mehr im Vertrag",
}
GOES_ON = {
    "installed": "wird geprüft",
    "reboot_pending": "Neustart wird nachgeholt",
    "rolled_back": "alter Stand läuft weiter",
    "stopped": "Freigabe wurde widerrufen",
}


def letter(source: Mapping[str, Any], company: Mapping[str, str], *, at: datetime) -> Letter:
    """The report as PDF and the mail that carries it; the same facts and instant give the same bytes."""
    shown = data(source, company, at=at)
    window = source["window"]
    first, last = date.fromisoformat(window["first"]), date.fromisoformat(window["last"])
    paragraphs = [
        "Sehr geehrte Damen und Herren,",
        f"im Wartungsfenster vom {day(first)} bis {day(last)} haben wir {_count(source['done'], source['tasks'])} "
        "abgeschlossen. Was geprüft, installiert und noch offen ist, steht im beigefügten Wartungsbericht.",
        _open(source["open"]),
        "Haben Sie Fragen, rufen Sie uns an oder antworten Sie auf diese Nachricht.",
        f"Mit freundlichen Grüßen\n{company['name']}",
    ]
    name = f"Wartungsbericht-{source['customer']['number']}-{source['month']}.pdf"
    content = sheets.render("report", shown, at=at)
    return Letter(name, content, str(shown["title"]), "\n\n".join(filter(None, paragraphs)) + "\n")


def data(source: Mapping[str, Any], company: Mapping[str, str], *, at: datetime) -> dict[str, Any]:
    """What the template shows, every value as text."""
    window, coming = source["window"], source["next"]
    of = date.fromisoformat(f"{source['month']}-01")
    return {
        "company": dict(company),
        "title": f"Wartungsbericht {month(of)}",
        "contract": ("Wartungsvertrag " if len(source["contracts"]) == 1 else "Wartungsverträge ")
        + ", ".join(source["contracts"]),
        "lead": f"{source['customer']['name']} · Wartungsfenster {_span(window)}, "
        f"{window['from']}–{window['until']} Uhr",
        "figures": [
            [str(source["devices"]), "Geräte im Vertrag", ""],
            [str(source["tasks"]), f"Aufgaben aus {_updates(len(source['updates']))}", ""],
            [str(source["done"]), "abgeschlossen und geprüft", "ok"],
            [str(source["open"]), "offen, siehe unten" if source["open"] else "offen",
             "bad" if source["open"] else ""],
        ],
        "updates": [_update(update) for update in source["updates"]],
        "installed": [_installed(row) for row in source["installed"]],
        "left": [_left(row) for row in source["left"]],
        "stations": [_station(row) for row in source["stations"]],
        "work": [_work(row) for row in source["work"]],
        "next": f"{_span(coming)}, {coming['from']}–{coming['until']} Uhr.",
        "made": f"Erstellt am {day(at)}, {time_of_day(at)} Uhr",
        "number": f"Bericht WB-{source['month']}-{source['customer']['number']}",
    }  # fmt: skip


def state(name: str) -> str:
    """How the report calls a state."""
    return STATES.get(name, name)


def reason(text: str) -> str:
    """A reason as the customer reads it."""
    return REASONS.get(text, text)


def goes_on(row: Mapping[str, Any]) -> str:
    """How what is open goes on."""
    parts = [f"Ticket {row['ticket']}"] if row["ticket"] else []
    if row["again_on"]:
        parts.append(f"eingeplant für {day(date.fromisoformat(row['again_on']))}")
    elif row["status"] in GOES_ON:
        parts.append(GOES_ON[row["status"]])
    return ", ".join(parts) or "wir melden uns"


def _update(update: Mapping[str, Any]) -> dict[str, Any]:
    left = update["devices"] - update["verified"] - update["bad"]
    return {
        "title": update["title"],
        "version": update["version"],
        "checked": f"{_day_month(update['checked_at'])}, {_short(update['checked_by'])}",
        "approved": f"{_day_month(update['approved_at'])}, {_short(update['approved_by'])}",
        "result": f"{update['verified']} von {update['devices']} geprüft",
        "shares": [update["verified"], update["bad"], left],
        "devices": str(update["devices"]),
    }


def _installed(row: Mapping[str, Any]) -> list[str]:
    at = datetime.fromisoformat(row["at"])
    verified = datetime.fromisoformat(row["verified_at"]) if row["verified_at"] else None
    result = f"geprüft {time_of_day(verified)}, {_short(row['verified_by'])}" if verified else state(row["status"])
    when = f"{_day_month(row['at'])} {time_of_day(at)}, {_short(row['by'])}"
    return [row["device"], row["what"], when, result, _remarks(row)]


def _remarks(row: Mapping[str, Any]) -> str:
    """What was out of the ordinary. Reports from before there were instructions do not name them."""
    remarks = [f"Notfall ({row['allowed_by']}): {row['emergency']}"] if row["emergency"] else []
    instruction = row.get("withdrawn")
    if instruction is not None:
        remarks.append(f"Freigabe widerrufen: {instruction}" if instruction else "Freigabe widerrufen")
    return " · ".join(remarks)


def _left(row: Mapping[str, Any]) -> dict[str, Any]:
    what = ", ".join(row["what"])
    why = f"{what}: {reason(row['reason'])}" if row["reason"] else what
    count = f" ({len(row['what'])})" if len(row["what"]) > 1 else ""
    return {
        "device": row["device"],
        "why": why,
        "state": state(row["status"]) + count,
        "kind": "bad" if row["status"] in BAD else "warn",
        "next": goes_on(row),
    }


def _station(row: Mapping[str, Any]) -> str:
    devices = row["devices"]
    named = devices[0] if len(devices) == 1 else f"{', '.join(devices[:-1])} und {devices[-1]}"
    first, last = (time_of_day(datetime.fromisoformat(row[name])) for name in ("first", "last"))
    span = first if first == last else f"{first}–{last}"
    on = day(date.fromisoformat(row["day"]))
    return f"{named}: nach dem Vorgehen aus {row['contract']} am {on}, {span} Uhr, bestätigt durch {row['by']}."


def _work(row: Mapping[str, Any]) -> list[str]:
    first, last = (datetime.fromisoformat(row[name]) for name in ("first", "last"))
    minutes = int((last - first).total_seconds()) // 60
    span = f"{_weekday(date.fromisoformat(row['day']))}, {time_of_day(first)}–{time_of_day(last)} Uhr"
    devices = "1 Gerät" if row["devices"] == 1 else f"{row['devices']} Geräte"
    return [span, row["by"], devices, str(minutes) if minutes else "–"]


def _span(window: Mapping[str, str]) -> str:
    first, last = date.fromisoformat(window["first"]), date.fromisoformat(window["last"])
    return f"{_weekday(first)} bis {_weekday(last)}{last.year}"


def _weekday(value: date) -> str:
    """Mo 21.12."""
    return format_date(value, "EEE dd.MM.", locale=LOCALE).replace(".", "", 1)


def _day_month(instant: str) -> str:
    return day(datetime.fromisoformat(instant))[:6] if instant else "–"


def _short(name: str) -> str:
    """Tarek Kaya: T. Kaya."""
    first, _, last = name.rpartition(" ")
    return f"{first[0]}. {last}" if first else last


def _count(done: int, tasks: int) -> str:
    return f"{done} von {tasks} Aufgaben" if tasks != 1 else f"{done} von einer Aufgabe"


def _updates(number: int) -> str:
    return "1 Update" if number == 1 else f"{number} Updates"


def _open(number: int) -> str:
    if not number:
        return ""
    return "Eine Aufgabe ist offen." if number == 1 else f"{number} Aufgaben sind offen."
