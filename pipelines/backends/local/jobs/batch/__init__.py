"""Batch transform: an input object → records → requests to a model → an output object."""
