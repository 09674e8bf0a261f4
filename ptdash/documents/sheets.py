"""PDF documents: templates on the company's sheet, set by typst as PDF/A-3b."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from ptdash.documents.characters import nearest

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


def render(template: str, data: dict[str, Any], *, at: datetime, xml: bytes | None = None) -> bytes:
    """The document of a template (`protocol` for protocol.typ) from its data, as PDF/A-3b.

    The same data and the same instant `at` give the same bytes. Dates and amounts come as text, written for
    people by ptdash.documents.german. `xml` is for templates that attach an e-invoice. Characters that our fonts
    do not have are written as their nearest: PDF/A knows no missing glyph.
    """
    try:
        return _compile(template, data, at, xml)
    except typst.TypstError as error:
        if "could not be displayed" not in str(error) and "glyph" not in str(error):
            raise
        return _compile(template, _plain(data), at, xml)


def _compile(template: str, data: dict[str, Any], at: datetime, xml: bytes | None) -> bytes:
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    return typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(HERE),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs=inputs | ({"xml": xml.decode()} if xml is not None else {}),
        pdf_standards="a-3b",
        timestamp=int(at.timestamp()),
    )


def _plain(value: Any) -> Any:
    """The same data with every text in the characters of Western Europe."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return nearest(value) if isinstance(value, str) else value


@cache
def _fonts() -> typst.Fonts:
    """Only our own fonts, found once a process: a document looks alike on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
