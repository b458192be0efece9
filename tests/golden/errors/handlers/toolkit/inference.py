"""Answers."""

# ruff: noqa: D103


def model_fn(model_dir: str) -> None: ...  # E: SP409


def handler(data: object, context: object) -> None: ...
