"""A PDF/A-3 tells that an e-invoice is inside: the Factur-X properties in its XMP metadata.

Source: ZUGFeRD 2.3 / Factur-X 1.0.07, chapter 6 (XMP extension schema); ISO 19005-3 6.6.2.
"""

import io
from typing import BinaryIO

import pikepdf

VERSION = {"zugferd": "1.0", "xrechnung": "3.0"}
LEVEL = {"zugferd": "EN 16931", "xrechnung": "XRECHNUNG"}
NAMESPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
PROPERTIES = {
    "DocumentFileName": "The name of the embedded XML document",
    "DocumentType": "The type of the hybrid document in capital letters, e.g. INVOICE or ORDER",
    "Version": "The actual version of the standard applying to the embedded XML document",
    "ConformanceLevel": "The conformance level of the embedded XML document",
}
# typst lists the schemas that it extends in one place; ours joins them there.
SCHEMAS = b"<pdfaExtension:schemas><rdf:Bag>"
END = b"</rdf:RDF>"


def declare(pdf: BinaryIO, attachment: str, profile: str) -> bytes:
    """The PDF with the Factur-X properties for its attachment; the same bytes for the same PDF."""
    with pikepdf.open(pdf) as document:
        metadata = document.Root.Metadata.read_bytes()
        if metadata.count(SCHEMAS) != 1 or metadata.count(END) != 1:
            raise ValueError("the metadata of this PDF are not those that its typesetter used to write")
        values = (attachment, "INVOICE", VERSION[profile], LEVEL[profile])
        said = dict(zip(PROPERTIES, values, strict=True))
        metadata = metadata.replace(SCHEMAS, SCHEMAS + _schema().encode()).replace(
            END, _values(said).encode() + END
        )
        stream = document.make_stream(metadata, Type=pikepdf.Name.Metadata, Subtype=pikepdf.Name.XML)
        document.Root.Metadata = stream
        target = io.BytesIO()
        document.save(target, deterministic_id=True, fix_metadata_version=False)
        return target.getvalue()


def _schema() -> str:
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{words}</pdfaProperty:description></rdf:li>"
        for name, words in PROPERTIES.items()
    )
    return (
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    )


def _values(said: dict[str, str]) -> str:
    inside = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in said.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{NAMESPACE}">{inside}</rdf:Description>'
