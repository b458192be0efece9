"""Answers with a module of the project."""

from serving_code.lib.texts import NAMES  # type: ignore[import-not-found]


def model_fn(model_dir: str) -> str:
    """Load."""
    return f"{model_dir}{NAMES}"
