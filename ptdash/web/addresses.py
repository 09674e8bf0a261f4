"""What stands in addresses beside words and numbers."""

from datetime import date

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError

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


def init_app(app: Flask) -> None:
    app.url_map.converters["month"] = MonthConverter
