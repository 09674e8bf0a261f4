"""Abrechnung. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.billing import cancellations, parked, prices, review

__all__ = ["cancellations", "parked", "prices", "review"]
