"""Answers."""

# ruff: noqa: D103


def model_fn(model_dir: str, context: object) -> None: ...  # E: SP409


def predict_fn(data: object, model: object, *more: object) -> None: ...
