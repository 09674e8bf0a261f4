"""Photos are known by their content, made anew without metadata, and stay with what was signed."""

from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ptdash.domain.acceptance import Outcome
from ptdash.models import StoredFile
from ptdash.services import files
from ptdash.services.acceptances import inspecting, photos
from tests.services.acceptances.inspection import NOW, Bench, later

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F
TURNED_RIGHT = 6


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 30), **more: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "navy").save(out, kind, **more)
    return out.getvalue()


def attach(bench: Bench, content: bytes, name: str = "IMG_1.JPG", pos: int = 1) -> StoredFile:
    inspection = bench.start()
    return photos.attach(bench.session, inspection.id, pos, name, content, actor_id=bench.technician.id, now=NOW)


def test_a_photo_is_turned_upright_and_loses_its_metadata(bench: Bench) -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKE] = TURNED_RIGHT, "Kamera"
    exif.get_ifd(GPS)[1] = "N"
    stored = attach(bench, picture(exif=exif.tobytes()))
    kept = Image.open(BytesIO(files.load(bench.session, stored.id).content))
    assert kept.size == (30, 60)
    assert not kept.getexif()
    assert b"Kamera" not in files.load(bench.session, stored.id).content


def test_a_large_photo_becomes_smaller(bench: Bench) -> None:
    stored = attach(bench, picture(size=(4000, 1000)))
    assert Image.open(BytesIO(files.load(bench.session, stored.id).content)).size == (2000, 500)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_every_kind_of_photo_becomes_a_jpeg(bench: Bench, kind: str) -> None:
    stored = attach(bench, picture(kind), f"Akku.{kind.lower()}")
    assert (stored.media_type, stored.name) == ("image/jpeg", "Akku.jpg")


def test_the_content_counts_not_the_name(bench: Bench) -> None:
    with pytest.raises(files.FileTypeRefused):
        attach(bench, b"MZ\x90\x00 a program", "foto.jpg")
    with pytest.raises(photos.PhotoUnreadable):
        attach(bench, picture()[:40], "foto.jpg")


def test_a_photo_of_too_many_pixels_is_refused_before_it_is_unpacked(bench: Bench) -> None:
    huge = BytesIO()
    Image.new("1", (12_000, 7_000)).save(huge, "PNG")
    with pytest.raises(photos.PhotoTooLarge, match="80 megapixels"):
        attach(bench, huge.getvalue(), "plan.png")


def test_other_files_keep_to_the_rules_of_attachments(bench: Bench) -> None:
    assert attach(bench, b"%PDF-1.7\n%\xe2\xe3", "Rechnung.pdf").media_type == "application/pdf"


def test_an_item_has_at_most_twelve_files(bench: Bench) -> None:
    for _ in range(photos.MOST_FILES):
        attach(bench, picture())
    with pytest.raises(photos.TooManyFiles):
        attach(bench, picture())


def test_a_photo_can_be_taken_away_until_the_signature(bench: Bench) -> None:
    inspection = bench.start()
    kept, gone = attach(bench, picture()), attach(bench, picture())
    photos.detach(bench.session, inspection.id, 1, gone.id, actor_id=bench.technician.id, now=NOW)
    bench.answer_rest(inspection)
    bench.sign(inspection)
    with pytest.raises(photos.FileKept):
        photos.detach(bench.session, inspection.id, 1, kept.id, actor_id=bench.technician.id, now=NOW)
    with pytest.raises(DBAPIError, match="is signed"):
        bench.session.execute(text("DELETE FROM inspection_files"))


def test_after_the_signature_only_a_fault_gets_photos(bench: Bench) -> None:
    inspection = bench.inspected(Outcome.REFUSED, failed=(2,))
    photos.attach(
        bench.session, inspection.id, 2, "neu.jpg", picture(), actor_id=bench.technician.id, now=later(1)
    )
    with pytest.raises(inspecting.AlreadySigned):
        photos.attach(
            bench.session, inspection.id, 1, "neu.jpg", picture(), actor_id=bench.technician.id, now=later(1)
        )
