"""Kunden. Every module with views adds its routes to the blueprint of `views`."""

from ptdash.blueprints.customers import contacts, pages, words

__all__ = ["contacts", "pages", "words"]
