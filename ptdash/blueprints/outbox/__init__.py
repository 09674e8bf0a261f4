"""Ausgang: the messages to people, what waits and what is held."""
