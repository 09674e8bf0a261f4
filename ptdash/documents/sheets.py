"""PDF documents: templates on the company's sheet, set by typst as PDF/A-3b."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


def render(template: str, data: dict[str, Any], *, at: datetime) -> bytes:
    """The document of a template (`protocol` for protocol.typ) from its data, as PDF/A-3b.

    The same data and the same instant `at` give the same bytes. Dates and amounts come as text, written for
    people by ptdash.documents.german.
    """
    return typst.compile(
        str(TEMPLATES / f"{template}.typ"),
        root=str(HERE),
        font_paths=_fonts(),
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        pdf_standards="a-3b",
        timestamp=int(at.timestamp()),
    )


@cache
def _fonts() -> typst.Fonts:
    """Only our own fonts, found once a process: a document looks alike on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
