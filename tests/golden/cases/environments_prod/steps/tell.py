"""Tells."""
