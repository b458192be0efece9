"""Cleans."""
