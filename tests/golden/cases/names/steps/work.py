"""Works."""
