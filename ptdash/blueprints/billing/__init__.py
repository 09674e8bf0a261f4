"""Abrechnung. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.billing import archives, cancellations, parked, prices, review

__all__ = ["archives", "cancellations", "parked", "prices", "review"]
