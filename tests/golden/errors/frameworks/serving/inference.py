"""Loads a model as it is."""


def model_fn(folder: str) -> str:
    """Return the folder."""
    return folder
