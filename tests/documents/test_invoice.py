"""The invoice on paper: built as PDF/A-3 and ZUGFeRD ask, readable whatever it says."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pikepdf
import pypdf
import pytest
from lxml import etree

from ptdash.documents import einvoice, invoice
from ptdash.documents.evidence import Package
from ptdash.documents.time_record import RecordedTime
from ptdash.domain.einvoices import InvoiceSource, Preceding
from ptdash.domain.minutes import Treatment
from tests.documents.invoices import BUYER, SELLER, line, source

AT = datetime(2026, 10, 5, 8, tzinfo=UTC)
PLAIN = {"invoice_format": "zugferd", "routing_id": ""}
ALLOWED_SUBTYPES = {"/Link"}


def entry(**other: Any) -> RecordedTime:
    row: dict[str, Any] = {
        "started_at": datetime(2026, 9, 14, 6, 41, tzinfo=UTC),
        "technician": "Tarek Kaya",
        "ticket": "4447",
        "activity": "Anmeldung repariert",
        "minutes": 12,
        "treatment": Treatment.PACKAGE,
        "left": 0,
        "overage": 5,
        "amount_cents": 750,
    }
    row |= other
    return RecordedTime(ended_at=row["started_at"] + timedelta(minutes=row["minutes"]), **row)


def rendered(made: InvoiceSource, entries: tuple[RecordedTime, ...] = ()) -> tuple[bytes, bytes]:
    """The PDF and the XML inside it."""
    xml = einvoice.build(made, made.profile)
    explanations = [{"included_minutes": 30, "used_minutes": 22, "expired_minutes": 8, "devices": []}] * len(
        made.lines
    )
    package = Package("SV-1019", 30, 35, 5, 0, Decimal("1.5"))
    said = invoice.content(made, explanations, [package], entries)
    content = invoice.render(said, xml, at=AT)
    assert invoice.render(said, xml, at=AT) == content
    return content, xml


def pages(content: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


def fonts(document: pikepdf.Pdf) -> Iterator[Any]:
    for page in document.pages:
        for font in page.resources.get("/Font", {}).values():
            yield from font.DescendantFonts if "/DescendantFonts" in font else [font]


@pytest.mark.parametrize("profile", ["zugferd", "xrechnung"])
def test_it_is_built_as_pdf_a_3_asks(profile):
    content, xml = rendered(source(buyer=BUYER | {"invoice_format": profile}), (entry(),))
    name = {"zugferd": "factur-x.xml", "xrechnung": "xrechnung.xml"}[profile]
    assert re.match(rb"%PDF-1\.7\r?\n%[\x80-\xff]{4}", content)
    with pikepdf.open(io.BytesIO(content)) as document:
        root = document.Root
        assert not {"/OpenAction", "/AA", "/Perms", "/AcroForm"} & set(root.keys())
        assert "/Encrypt" not in document.trailer and len(document.trailer.ID) == 2
        assert root.MarkInfo.Marked and root.Lang == "de"
        (intent,) = root.OutputIntents
        assert intent.S == "/GTS_PDFA1" and intent.DestOutputProfile.read_bytes()[36:40] == b"acsp"
        assert all({"/FontFile2", "/FontFile3"} & set(font.FontDescriptor.keys()) for font in fonts(document))
        kinds = {mark.Subtype for page in document.pages for mark in page.get("/Annots", [])}
        assert kinds <= ALLOWED_SUBTYPES
        (file,) = root.AF
        assert (file.F, file.UF, file.AFRelationship) == (name, name, "/Alternative")
        assert root.Names.EmbeddedFiles.Names[0] == name
        stream = file.EF.F
        assert (stream.Type, stream.Subtype) == ("/EmbeddedFile", "/text/xml")
        assert stream.Params.Size == len(xml)
        assert str(stream.Params.ModDate).startswith("D:20261005080000")
        assert stream.read_bytes() == xml
        assert "/Filter" not in root.Metadata


@pytest.mark.parametrize(
    ("profile", "version", "level"), [("zugferd", "1.0", "EN 16931"), ("xrechnung", "3.0", "XRECHNUNG")]
)
def test_its_metadata_declare_every_property_that_is_not_of_adobe(profile, version, level):
    content, _ = rendered(source(buyer=BUYER | {"invoice_format": profile}))
    with pikepdf.open(io.BytesIO(content)) as document:
        metadata = etree.fromstring(document.Root.Metadata.read_bytes())
    fx = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
    said = {found.tag.removeprefix(fx): found.text for found in metadata.iter() if str(found.tag).startswith(fx)}
    assert said == {
        "DocumentFileName": "xrechnung.xml" if profile == "xrechnung" else "factur-x.xml",
        "DocumentType": "INVOICE",
        "Version": version,
        "ConformanceLevel": level,
    }
    pdfa = {"s": "http://www.aiim.org/pdfa/ns/schema#", "p": "http://www.aiim.org/pdfa/ns/property#"}
    rdf = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
    (schema,) = [s for s in metadata.iter(f"{rdf}li") if s.findtext("s:namespaceURI", namespaces=pdfa) == fx[1:-1]]
    declared = {
        p.findtext("p:name", namespaces=pdfa): p for p in schema.findall(f"s:property/{rdf}Seq/{rdf}li", pdfa)
    }
    assert set(declared) == set(said)
    for found in declared.values():
        assert found.findtext("p:valueType", namespaces=pdfa) == "Text"
        assert found.findtext("p:category", namespaces=pdfa) == "external"
        assert found.findtext("p:description", namespaces=pdfa)
    ids = {"part": "3", "conformance": "B"}
    for key, value in ids.items():
        assert metadata.findtext(f".//{{http://www.aiim.org/pdfa/ns/id/}}{key}") == value


def test_a_very_long_name_stays_above_the_subject():
    name = "Gesellschaft für Öffentlichkeitsarbeit, Straßenbau und Überlandversorgung " * 4
    content, _ = rendered(source(buyer=BUYER | PLAIN | {"name": name.strip(), "country": "AT"}))
    height = {}

    def note(text: str, page: Any, position: Any, *_: Any) -> None:
        for word in ("ÖSTERREICH", "Rechnung September"):
            if word in text:
                height[word] = page[5] + page[3] * position[5]

    pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=note)
    assert height["ÖSTERREICH"] > height["Rechnung September"] + 20
    (first,) = pages(content)
    assert "Überlandversorgung Gesellschaft" in first


def test_each_later_page_says_whose_it_is():
    content, _ = rendered(source(*(line(n) for n in range(1, 61))), tuple(entry() for _ in range(40)))
    found = pages(content)
    total = len(found)
    assert all(f"Seite {n} von {total}" in page for n, page in enumerate(found, start=1))
    record = next(n for n, page in enumerate(found) if "Leistungsnachweis September" in page)
    assert all("premium technologies GmbH Rechnung RE-2026-00412" in page for page in found[1:record])
    assert all("Anlage zu RE-2026-00412" in page for page in found[record:])
    assert all("Datum, Uhrzeit" in page for page in found[record:-1])


def test_the_entry_that_crosses_the_limit_says_how_it_is_split():
    content, _ = rendered(source(), (entry(), entry(overage=17, amount_cents=1800)))
    record = pages(content)[1]
    assert record.count("7 min frei") == record.count("5 min berechnet") == 1
    assert "+17" in record


def test_a_storno_asks_for_nothing_and_names_its_invoice():
    turned = line(kind="cancellation", quantity=Decimal(-1), net_cents=-4000)
    storno = source(turned, kind="storno", preceding=(Preceding("RE-2026-00311", date(2026, 9, 4)),))
    (page,) = pages(rendered(storno)[0])
    for said in ("Stornorechnung September 2026", "RE-2026-00311 vom 04.09.2026", "−47,60 €"):
        assert said in page
    assert "GiroCode" not in page and "Fällig" not in page


def test_the_footer_has_what_a_company_has_to_say_in_letters():
    seller = SELLER | {
        "management": "Geschäftsführerin: Miriam Vogt",
        "register": "Amtsgericht Münster, HRB 12345",
    }
    (page,) = pages(rendered(source(seller=seller))[0])
    for said in (
        "Geschäftsführerin: Miriam Vogt",
        "Amtsgericht Münster, HRB 12345",
        "Steuernummer 336/5901/0123",
        "IBAN DE02 1203 0000 0000 2020 51",
    ):
        assert said in page
