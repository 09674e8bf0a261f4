"""Abrechnung. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.billing import cancellations, parked, prices

__all__ = ["cancellations", "parked", "prices"]
