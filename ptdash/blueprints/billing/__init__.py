"""Abrechnung. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.billing import archives, cancellations, documents, parked, prices, review

__all__ = ["archives", "cancellations", "documents", "parked", "prices", "review"]
