"""The protocol of an inspection, set anew whenever it is asked for: what was signed does not change."""

from datetime import datetime

from sqlalchemy.orm import Session

from ptdash.documents import protocol
from ptdash.domain.acceptance import Outcome, Section
from ptdash.models import Inspection
from ptdash.services import files, settings
from ptdash.services.acceptances import photos, reading
from ptdash.services.acceptances.reading import InspectionPage, Line

PHOTO_SIDE = 420


def pdf(session: Session, inspection_id: int, *, now: datetime) -> tuple[str, bytes]:
    """Name and bytes of the protocol: of a signed inspection always the same, else a draft. Raises NotFound."""
    page = reading.page(session, inspection_id)
    found = _protocol(session, page)
    at = page.inspection.signed_at or now
    return found.name, protocol.render(found, settings.company(session), at=at)


def _protocol(session: Session, page: InspectionPage) -> protocol.Protocol:
    inspection, device = page.inspection, page.device
    return protocol.Protocol(
        device=device.inventory_number,
        what=" ".join(filter(None, (device.manufacturer, device.model))) or device.name,
        serial_number=device.serial_number,
        type=device.type,
        customer=page.customer.name,
        bought_from=bought_from(page),
        contract=page.proposal[1].number if page.proposal and not page.signed else "",
        checklist=f"{_type(page)}, Version {page.template.version}" if page.template else "",
        round=page.round,
        started_at=inspection.started_at,
        signed_at=inspection.signed_at,
        signed_name=inspection.signed_name,
        outcome=Outcome(inspection.outcome) if inspection.outcome else None,
        note=inspection.note,
        items=[_item(session, inspection, line) for line in page.lines],
    )


def bought_from(page: InspectionPage) -> str:
    device = page.device
    if device.purchased_from_us:
        return "uns"
    where = device.purchased_from or "einem anderen Händler"
    return f"{where}, {device.purchased_on:%m/%Y}" if device.purchased_on else where


def _type(page: InspectionPage) -> str:
    names = {
        "notebook": "Notebook",
        "desktop": "Arbeitsplatz",
        "server": "Server",
        "printer": "Drucker",
        "firewall": "Firewall",
        "nas": "NAS",
        "general": "Allgemein",
    }
    kind = page.template.device_type if page.template else page.device.type
    return names.get(kind, kind)


def _item(session: Session, inspection: Inspection, line: Line) -> protocol.Item:
    """Only what was there when it was signed: photos that came with the remedy belong to the re-inspection."""
    finding, before = line.finding, line.before
    shown = [file for file in finding.photos if _signed_with(file.created_at, inspection)]
    if before is not None:
        shown = [*before.photos, *shown]
    taken_over = (finding.found_on, finding.by or "") if line.carried and finding.found_on else None
    return protocol.Item(
        section=Section(line.item.section),
        text=line.item.text,
        hint=line.item.hint,
        state=line.state,
        note=finding.result.note,
        taken_over=taken_over,
        remedy=before.result.remedy if before is not None else "",
        photos=[_small(session, file.id) for file in shown if file.media_type == "image/jpeg"],
    )


def _signed_with(created_at: datetime, inspection: Inspection) -> bool:
    return inspection.signed_at is None or created_at <= inspection.signed_at


def _small(session: Session, file_id: int) -> bytes:
    return photos.photo("photo", files.load(session, file_id).content, PHOTO_SIDE)
