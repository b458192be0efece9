"""Uses."""
