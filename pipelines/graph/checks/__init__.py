"""Semantic checks: one module per check, each with `check(graph)`; all are run."""
