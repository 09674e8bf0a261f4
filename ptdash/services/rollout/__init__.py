"""Approved updates on customers' devices: planned into windows, installed, ticked off, told about."""
