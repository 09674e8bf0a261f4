"""What may be attached: the content decides, not the name."""

import io
import zipfile

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from ptdash.services import checks, files
from tests.company import Company
from tests.conftest import NOW

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PDF = b"%PDF-1.7\n1 0 obj\n"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40
EXE = b"MZ" + b"\0" * 200
MAIL = b"From: kunde@example.com\nSubject: VPN\n\nEs geht nicht."


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("a.txt", "a")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "stored", "media_type"),
    [
        ("Foto.PNG", PNG, "Foto.PNG", "image/png"),
        ("Foto.jpeg", JPEG, "Foto.jpeg", "image/jpeg"),
        ("Angebot.pdf", PDF, "Angebot.pdf", "application/pdf"),
        ("vpn.log", "Fehler: Zeitüberschreitung\n".encode(), "vpn.log", "text/plain"),
        ("liste.csv", b"a;b\n1;2\n", "liste.csv", "text/csv"),
        ("mail.eml", MAIL, "mail.eml", "message/rfc822"),
        ("alles.zip", archive(), "alles.zip", "application/zip"),
        # A name that promises something else than the content gets the ending of the content.
        ("rechnung.exe", PDF, "rechnung.exe.pdf", "application/pdf"),
        ("programm.jar", archive(), "programm.jar.zip", "application/zip"),
        ("ohne Endung", b"nur Text", "ohne Endung.txt", "text/plain"),
        ("../../etc/passwd.txt", b"x", "passwd.txt", "text/plain"),
        ('C:\\Temp\\a"b\r\n;c.txt', b"x", "a_b___c.txt", "text/plain"),
    ],
)
def test_a_file_is_known_by_its_content(
    session: Session, name: str, content: bytes, stored: str, media_type: str
) -> None:
    company = Company(session)
    file = files.store(session, name, content, actor_id=company.technician.id, now=NOW)
    assert (file.name, file.media_type, file.size) == (stored, media_type, len(content))
    assert files.load(session, file.id).content == content


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("rechnung.pdf", EXE, "is EXE"),
        ("seite.html", b"<script>alert(1)</script>", "is HTML"),
        ("bild.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is SVG"),
        ("daten.bin", b"\x01\x02\x03", "is BIN"),
        ("daten.txt", "täglich".encode("latin-1"), "is TXT"),
        ("musik.mp3", b"ID3" + b"\0" * 40, "is MP3"),
    ],
)
def test_anything_else_is_refused_with_the_type_that_was_found(name: str, content: bytes, found: str) -> None:
    with pytest.raises(files.FileTypeRefused, match=found):
        files.known_type(name, content)


def test_a_file_has_a_size_between_one_byte_and_the_limit(session: Session) -> None:
    company = Company(session)
    with pytest.raises(files.FileEmpty):
        files.store(session, "leer.txt", b"", actor_id=company.technician.id, now=NOW)
    with pytest.raises(files.FileTooLarge):
        files.store(session, "viel.txt", b"a" * (files.LIMIT_BYTES + 1), actor_id=company.technician.id, now=NOW)


def test_the_check_names_a_file_whose_content_is_not_what_was_stored(session: Session) -> None:
    stored = files.store(session, "Foto.png", PNG, actor_id=Company(session).technician.id, now=NOW)
    assert checks.documents_match(session) == checks.Verdict(1, [])
    session.execute(text("SET LOCAL session_replication_role = replica"))
    guards = "conrelid = 'stored_files'::regclass AND pg_get_constraintdef(oid) LIKE '%sha256(%'"
    guard = session.scalar(text(f"SELECT conname FROM pg_constraint WHERE {guards}"))
    session.execute(text(f"ALTER TABLE stored_files DROP CONSTRAINT {guard}"))
    session.execute(text("UPDATE stored_files SET content = set_byte(content, 10, 1)"))
    (violation,) = checks.documents_match(session).violations
    assert f"file {stored.id} (Foto.png)" in violation
