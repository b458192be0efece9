"""Answers."""

# ruff: noqa: D103


def model_fn(model_dir: str, context: object) -> None: ...


def input_handler(data: object, context: object) -> None: ...  # E: SP409


def handler(signum: int) -> None: ...
