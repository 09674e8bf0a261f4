"""What is served as it stands: the vendored script is the published one, the sheet stays small."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "ptdash/static"
# htmx.org 2.0.11, dist/htmx.min.js as published on npm
HTMX_SHA384 = "2OatzQy1H+Zd/IIrjr1TcuDGqLXeHhbooAyJY1KdQMKnr4LZ22k31GBLdYKHmVjg"
SHEET_LIMIT_BYTES = 12 * 1024


def test_htmx_is_the_published_file_with_its_licence() -> None:
    digest = hashlib.sha384((STATIC / "htmx.min.js").read_bytes()).digest()
    assert base64.b64encode(digest).decode() == HTMX_SHA384
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE").read_text()
    assert 'version:"2.0.11"' in (STATIC / "htmx.min.js").read_text()


def test_the_style_sheet_stays_small() -> None:
    assert len(gzip.compress((STATIC / "ptdash.css").read_bytes(), 9)) < SHEET_LIMIT_BYTES


def test_text_and_controls_have_enough_contrast_in_both_themes() -> None:
    sheet = (STATIC / "ptdash.css").read_text()
    tokens = {name: pair for name, *pair in re.findall(r"--([\w-]+):\s*light-dark\((#\w{6}), (#\w{6})\)", sheet)}
    texts = [
        (text, ground)
        for text in ("text", "text-2", "text-3", "accent")
        for ground in ("bg", "surface", "selected")
    ]
    texts += [(name, f"{name}-soft") for name in ("ok", "warn", "danger", "info", "plum")] + [
        ("text-2", "mute-soft")
    ]
    graphics = [
        (name, "surface") for name in ("control", "focus", "fill-used", "fill-ok", "fill-warn", "fill-over")
    ]
    for theme in (0, 1):
        for pairs, least in ((texts, 4.5), (graphics, 3.0)):
            for front, back in pairs:
                assert contrast(tokens[front][theme], tokens[back][theme]) >= least, (front, back, theme)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: relative luminance of the lighter over that of the darker colour."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
