"""The documents of an issued invoice, as downloads."""

from flask import Response

from ptdash.blueprints.billing.views import bp
from ptdash.db import transaction
from ptdash.services import invoice_pdfs


@bp.get("/invoices/<number>.pdf")
def invoice_pdf(number: str) -> Response:
    with transaction() as session:
        content = invoice_pdfs.pdf_of(session, number)
    return _download(content, "application/pdf", f"{number}.pdf")


@bp.get("/invoices/<number>.xml")
def invoice_xml(number: str) -> Response:
    with transaction() as session:
        content = invoice_pdfs.xml_of(session, number)
    return _download(content, "application/xml", f"{number}.xml")


def _download(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, mimetype=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
