"""Executions of a pipeline, wherever they run: what both backends speak, and what follows them."""
