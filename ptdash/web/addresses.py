"""What stands in addresses beside words and numbers."""

import re
from datetime import date
from functools import cached_property

from flask import Flask
from werkzeug.routing import BaseConverter, UnicodeConverter, ValidationError

from ptdash.domain.errors import DomainError
from ptdash.domain.periods import format_month, parse_month


class MonthConverter(BaseConverter):
    """A month in an address, as 2026-10."""

    regex = r"\d{4}-\d{2}"

    def to_python(self, value: str) -> date:
        try:
            return parse_month(value)
        except DomainError:
            raise ValidationError from None

    def to_url(self, value: date) -> str:
        return format_month(value)


class KeyConverter(UnicodeConverter):
    """A number, as people or an import gave it, as one part of an address: a customer may be `A/7` or `Süd #2`.

    A server takes %2F for a slash, and browsers cut off what follows # or ? and resolve dots: whatever is no
    letter, digit, hyphen, underscore or inner dot is written as ~ and its bytes (`A~2F7`). So is the first letter
    of a word that is an address of its own (`new`). Numbers as they usually are stay as they are.
    """

    def to_python(self, value: str) -> str:
        try:
            return ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("~", "")).decode(), value)
        except UnicodeDecodeError:
            raise ValidationError from None

    def to_url(self, value: str) -> str:
        text = "".join(c if c.isalnum() or c in "-_." else _escaped(c) for c in str(value))
        if text.startswith(".") or text in self._words:
            text = _escaped(text[0]) + text[1:]
        return super().to_url(text)

    @cached_property
    def _words(self) -> frozenset[str]:
        """What stands in addresses of the program itself."""
        parts = (part for rule in self.map.iter_rules() for part in rule.rule.split("/"))
        return frozenset(part for part in parts if "<" not in part)


ESCAPED = re.compile("(?:~[0-9A-F]{2})+")


def _escaped(text: str) -> str:
    return "".join(f"~{byte:02X}" for byte in text.encode())


def init_app(app: Flask) -> None:
    app.url_map.converters["month"] = MonthConverter
    app.url_map.converters["default"] = KeyConverter
    # For pages that write so many addresses that url_for would take most of their time.
    app.jinja_env.filters["in_address"] = KeyConverter(app.url_map).to_url
