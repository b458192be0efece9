"""How the toolkit of a training image starts code that no entrypoint names (FACTS 3.3, 11.4).

Sources: sagemaker-training-toolkit, `entry_point.py`, which runs `python PROGRAM.py` in a copy of
the submitted folder; sagemaker-xgboost-container, `training.py`, which installs that folder with
pip and runs `python -m PROGRAM`.
"""

from __future__ import annotations

from typing import Final

from pipelines.images.image import Image

_RUN_FILES: Final = frozenset({"huggingface", "pytorch", "sklearn", "tensorflow"})


def starts_bundles(image: Image) -> bool | None:
    """Return whether an image's toolkit starts a bundle; None where nothing is known of it."""
    return None if image.framework is None else image.framework in _RUN_FILES
