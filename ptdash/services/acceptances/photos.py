"""Photos and files of an inspection's items: photos are made anew, small enough and without what cameras add."""

from datetime import datetime
from io import BytesIO
from pathlib import PurePath

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import ItemState
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.models import InspectionFile, InspectionResult, StoredFile
from ptdash.services import audit, files
from ptdash.services.acceptances import inspecting

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
MEGAPIXELS = 80
LONGEST_SIDE = 2000
THUMBNAIL_SIDE = 240
QUALITY = 82
MOST_FILES = 12


class PhotoUnreadable(Invalid):
    message = "%(name)s cannot be read as a photo. Send JPEG, PNG or WebP."


class PhotoTooLarge(Invalid):
    message = "%(name)s has more than %(megapixels)s megapixels. Take it with a lower resolution."


class TooManyFiles(Conflict):
    message = "An item has at most %(most)s photos and files."


class FileKept(Conflict):
    message = "This file belongs to a signed inspection and stays."


def attach(
    session: Session,
    inspection_id: int,
    pos: int,
    name: str,
    content: bytes,
    *,
    actor_id: int,
    now: datetime,
) -> StoredFile:
    """Keep a photo or file with an item; after the signature only with a fault, to show that it was remedied.

    Raises NotFound, AlreadySigned, NotStarted, TooManyFiles, PhotoUnreadable, PhotoTooLarge, and what
    `files.store` raises.
    """
    inspection = inspecting.get(session, inspection_id, lock=True)
    result = session.get(InspectionResult, (inspection_id, pos))
    if result is None:
        raise NotFound(what=str(pos))
    if inspection.signed_at is not None and result.state != ItemState.FAILED:
        raise inspecting.AlreadySigned()
    if len(of_item(session, inspection_id, pos)) >= MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    if content and files.known_type(name, content)[1].startswith("image/"):
        name, content = f"{PurePath(files.safe_name(name)).stem}.jpg", photo(name, content)
    stored = files.store(session, name, content, actor_id=actor_id, now=now)
    session.add(InspectionFile(inspection_id=inspection_id, pos=pos, file_id=stored.id))
    session.flush()
    after = {"pos": pos, "file": stored.name, "sha256": stored.sha256}
    audit.record(session, "attach", "inspection", inspection_id, actor_id=actor_id, now=now, after=after)
    return stored


def detach(session: Session, inspection_id: int, pos: int, file_id: int, *, actor_id: int, now: datetime) -> None:
    """Take a file away from an item of an unsigned inspection. Raises NotFound, FileKept."""
    inspection = inspecting.get(session, inspection_id, lock=True)
    row = session.get(InspectionFile, (inspection_id, pos, file_id))
    if row is None:
        raise NotFound(what=str(file_id))
    if inspection.signed_at is not None:
        raise FileKept()
    session.delete(row)
    session.flush()
    before = {"pos": pos, "file_id": file_id}
    audit.record(session, "detach", "inspection", inspection_id, actor_id=actor_id, now=now, before=before)


def of_item(session: Session, inspection_id: int, pos: int) -> list[StoredFile]:
    rows = (
        select(StoredFile)
        .join(InspectionFile, InspectionFile.file_id == StoredFile.id)
        .where(InspectionFile.inspection_id == inspection_id, InspectionFile.pos == pos)
        .order_by(StoredFile.id)
    )
    return list(session.execute(rows).scalars())


def load(session: Session, inspection_id: int, file_id: int) -> StoredFile:
    """A file of an inspection, with its content. Raises NotFound."""
    known = select(InspectionFile.file_id).where(
        InspectionFile.inspection_id == inspection_id, InspectionFile.file_id == file_id
    )
    if session.execute(known).first() is None:
        raise NotFound(what=str(file_id))
    return files.load(session, file_id)


def photo(name: str, content: bytes, longest_side: int = LONGEST_SIDE) -> bytes:
    """A photo as JPEG: upright, at most 2000 pixels long, without position, camera or any other metadata.

    Raises PhotoUnreadable, PhotoTooLarge.
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MEGAPIXELS * 1_000_000:
                raise PhotoTooLarge(name=name, megapixels=MEGAPIXELS)
            image.draft("RGB", (2 * longest_side, 2 * longest_side))  # JPEG: decoded small at once
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((longest_side, longest_side))
            return _jpeg(upright)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        raise PhotoUnreadable(name=name) from None


def thumbnail(content: bytes) -> bytes:
    """A stored photo, small."""
    return photo("photo", content, THUMBNAIL_SIDE)


def _jpeg(image: Image.Image) -> bytes:
    """On white where it was transparent; a fresh image takes no metadata along."""
    rgba = image.convert("RGBA")
    plain = Image.new("RGB", rgba.size, "white")
    plain.paste(rgba, mask=rgba.getchannel("A"))
    out = BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
