"""Answers."""

# ruff: noqa: D103


def model_fn(model_dir: str) -> None: ...


def transform_fn(model: object, body: str, content_type: str, accept: str) -> None: ...


def predict_fn(data: object, model: object) -> None: ...  # E: SP409
