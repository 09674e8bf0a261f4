"""The e-mail that brings an invoice to its buyer; German, like every document."""

from ptdash.documents.german import day, euros, month
from ptdash.domain.einvoices import CORRECTION, InvoiceSource


def write(source: InvoiceSource) -> tuple[str, str]:
    """Subject and text of an invoice's e-mail."""
    name = title(source)
    subject = f"{name} {source.number} für {month(source.period)}"
    contact = str(source.buyer.get("contact") or "").strip()
    seller = source.seller
    town = f"{seller['postal_code']} {seller['city']}"
    legal = [seller.get(key) for key in ("management", "register")]
    signature = [seller.get("contact"), seller["name"], f"{seller['street']}, {town}", seller.get("phone"), *legal]
    paragraphs = [
        f"Guten Tag {contact}".strip() + ",",
        f"anbei erhalten Sie unsere {name} {source.number} vom {day(source.issued_on)} "
        f"für {month(source.period)} über {euros(source.gross_cents)}.",
        _what_to_do(source),
        _what_is_attached(source),
        "Haben Sie Fragen zu dieser Rechnung, rufen Sie uns an oder antworten Sie auf diese Nachricht.",
        "Mit freundlichen Grüßen\n" + "\n".join(line for line in signature if line),
    ]
    return subject, "\n\n".join(paragraphs) + "\n"


def title(source: InvoiceSource) -> str:
    """What the document is called."""
    if source.kind == "storno":
        return "Stornorechnung"
    return "Rechnungskorrektur" if source.type_code == CORRECTION else "Rechnung"


def _what_is_attached(source: InvoiceSource) -> str:
    inside = (
        "Die PDF-Datei enthält die Rechnung auch als E-Rechnung nach EN 16931, die Ihre Buchhaltung ohne Abtippen "
        "übernehmen kann."
    )
    if source.profile == "xrechnung":
        return f"{inside} Als XRechnung liegt sie zudem einzeln bei."
    return f"{inside} Sie liegt zudem einzeln als XML-Datei bei." if source.buyer.get("wants_xml") else inside


def _what_to_do(source: InvoiceSource) -> str:
    if source.gross_cents <= 0:
        named = ", ".join(item.number for item in source.preceding)
        corrects = f"Sie bezieht sich auf {named}. " if named else ""
        return f"{corrects}Zu zahlen ist nichts; einen bereits gezahlten Betrag verrechnen oder erstatten wir."
    return (
        f"Bitte überweisen Sie den Betrag bis zum {day(source.due_on)} auf das Konto {source.seller['iban']} "
        f"und geben Sie als Verwendungszweck {source.number} an."
    )
