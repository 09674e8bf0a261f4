"""Vendor updates: the catalogue, entering them, our own checks, their approval, and the matrix."""
