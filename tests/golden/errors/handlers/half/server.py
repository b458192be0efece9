"""Answers."""

# ruff: noqa: D103


def input_handler(data: object, context: object) -> None: ...
