"""Kalender: the secret address of a person's calendar, and what stands behind it."""
