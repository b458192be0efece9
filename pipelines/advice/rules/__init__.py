"""The rules: one module for each, with its `RULE`; all are asked."""
