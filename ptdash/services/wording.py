"""The words of invoice lines. Documents are German, whatever language the person at the screen reads."""

from datetime import date

from ptdash.domain.settlement import Line, LineKind

MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli"),
    *("August", "September", "Oktober", "November", "Dezember"),
)


def describe(line: Line) -> str:
    """What the customer reads on the line."""
    facts = line.explanation
    match line.kind:
        case LineKind.PACKAGE_FEE:
            return f"Support-Paket {facts['package']}, {line.contract}{_days(line)}"
        case LineKind.OVERAGE:
            return f"Mehrminuten, {line.contract}"
        case LineKind.SEPARATE:
            outside = facts["without_package_minutes"]
            return "Gesondert berechnete Arbeit" + (
                f", davon {outside} min ohne laufendes Paket" if outside else ""
            )
        case LineKind.MAINTENANCE_FEE:
            return f"Wartungsvertrag {line.contract}, Grundgebühr{_days(line)}"
        case LineKind.DEVICE_FEE:
            days = {device["covered_days"] for device in facts["devices"]}
            part = f" ({days.pop()} von {facts['month_days']} Tagen)" if len(days) == 1 else " (anteilig)"
            whole = all(device["covered_days"] == facts["month_days"] for device in facts["devices"])
            return f"Gerätegebühr, {line.contract}{'' if whole else part}"
        case LineKind.ADJUSTMENT:
            invoices = f" zu {', '.join(facts['invoices'])}" if facts["invoices"] else ""
            return f"Anpassung {german_month(line.service_from)}{invoices}"
        case _:
            return str(facts["description"])


def german_month(month: date) -> str:
    return f"{MONTHS[month.month - 1]} {month.year}"


def _days(line: Line) -> str:
    covered, month = line.explanation["covered_days"], line.explanation["month_days"]
    return "" if covered == month else f" ({covered} von {month} Tagen)"
