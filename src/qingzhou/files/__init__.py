"""Bytes, read safely: nothing in a file is executed, and nothing here knows a framework."""
