"""Answers."""

# ruff: noqa: D103


def modle_fn(model_dir: str) -> None: ...  # E: SP409
