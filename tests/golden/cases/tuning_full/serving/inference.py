"""Serves."""


def model_fn(model_dir: str) -> str:
    """Load the model."""
    return model_dir
