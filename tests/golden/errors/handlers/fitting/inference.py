"""Answers."""

# ruff: noqa: D103


def input_handler(data: object, context: object) -> None: ...


def output_handler(response: object, context: object) -> None: ...
