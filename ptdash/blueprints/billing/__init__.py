"""Abrechnung. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.billing import parked, prices

__all__ = ["parked", "prices"]
