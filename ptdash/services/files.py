"""Files that people attach: known by their content, kept once, never changed."""

import re
from datetime import datetime
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import PurePath

import filetype
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from ptdash.domain.errors import Invalid, NotFound
from ptdash.models import StoredFile

LIMIT_MB = 10
LIMIT_BYTES = LIMIT_MB * 1024 * 1024
NAME_LIMIT = 120
# What may be attached: the ending that its content calls for, and the type it is served as.
BINARY = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
TEXT = {"txt": "text/plain", "log": "text/plain", "csv": "text/csv", "eml": "message/rfc822"}
ALLOWED = "PNG, JPEG, WebP, GIF, PDF, TXT, LOG, CSV, ZIP, DOCX, XLSX, ODT, ODS, EML"
SAME_ENDING = {"jpeg": "jpg", "jpe": "jpg"}
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


class FileEmpty(Invalid):
    message = "%(name)s is empty. Choose another file."


class FileTooLarge(Invalid):
    message = "%(name)s is larger than %(limit)s MB. Send a smaller one, or put it into a ZIP archive."


class FileTypeRefused(Invalid):
    message = "%(name)s is %(found)s; that cannot be attached. Allowed are %(allowed)s."


def store(session: Session, name: str, content: bytes, *, actor_id: int, now: datetime) -> StoredFile:
    """Keep a file under a safe name with the ending of its content.

    Raises FileEmpty, FileTooLarge, FileTypeRefused.
    """
    name = safe_name(name)
    if not content:
        raise FileEmpty(name=name)
    if len(content) > LIMIT_BYTES:
        raise FileTooLarge(name=name, limit=LIMIT_MB)
    ending, media_type = known_type(name, content)
    if _ending(name) != ending:
        name = f"{name}.{ending}"
    file = StoredFile(
        name=name,
        media_type=media_type,
        size=len(content),
        sha256=sha256(content).hexdigest(),
        content=content,
        created_at=now,
        created_by_id=actor_id,
    )
    session.add(file)
    session.flush()
    return file


def load(session: Session, file_id: int) -> StoredFile:
    """A file with its content. Raises NotFound."""
    found = select(StoredFile).where(StoredFile.id == file_id).options(undefer(StoredFile.content))
    file = session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()
    if file is None:
        raise NotFound(what=str(file_id))
    return file


def known_type(name: str, content: bytes) -> tuple[str, str]:
    """What a content is: the ending it should have and its media type; a name only tells kinds of text apart.

    Raises FileTypeRefused with the type that was found.
    """
    guessed = filetype.guess(content)
    ending = _ending(name)
    if guessed is not None:
        if guessed.extension in BINARY:
            return guessed.extension, BINARY[guessed.extension]
        raise FileTypeRefused(name=name, found=guessed.extension.upper(), allowed=ALLOWED)
    if not _is_text(content):
        raise FileTypeRefused(name=name, found=f"{ending.upper()} (?)" if ending else "?", allowed=ALLOWED)
    if ending == "eml" and not BytesHeaderParser().parsebytes(content).keys():
        ending = "txt"
    if ending and ending not in TEXT:
        raise FileTypeRefused(name=name, found=ending.upper(), allowed=ALLOWED)
    return ending or "txt", TEXT[ending or "txt"]


def safe_name(name: str) -> str:
    """The last part of what the sender called it, without what a file system or a header could misread."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign if sign.isprintable() and sign not in '<>:"|?*%;' else "_" for sign in last)
    plain = re.sub(r"\s+", " ", plain).strip(" .") or "file"
    stem, dot, ending = plain.rpartition(".")
    return plain if len(plain) <= NAME_LIMIT else f"{(stem or plain)[: NAME_LIMIT - 10]}{dot}{ending[:8]}"


def _ending(name: str) -> str:
    ending = PurePath(name).suffix.lower().removeprefix(".")
    return SAME_ENDING.get(ending, ending)


def _is_text(content: bytes) -> bool:
    """UTF-8 without control characters; UTF-16 logs and the like are refused rather than guessed."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not CONTROL.search(content)
