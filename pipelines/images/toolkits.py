"""How the toolkit of an image starts code (FACTS 3.3, 11.4).

Training images start what no entrypoint names. Spark images bring the cluster up by their own
program, which starts a file named `*.py` by the Python that has their packages: `python3` there is
another one, the system's (aws/sagemaker-spark-container, Dockerfile.cpu of 3.5, smspark/cli.py).

Sources: sagemaker-training-toolkit, `entry_point.py`, which runs `python PROGRAM.py` in a copy of
the submitted folder; sagemaker-xgboost-container, `training.py`, which installs that folder with
pip and runs `python -m PROGRAM`.
"""

from __future__ import annotations

import re
from typing import Final

from pipelines.images.image import Image

_RUN_FILES: Final = frozenset({"huggingface", "pytorch", "sklearn", "tensorflow"})
SPARK_SUBMIT: Final = "smspark-submit"
"""What starts the code of a step in a Spark image."""

_SPARK: Final = re.compile(r"spark-[0-9].*|.*/sagemaker-spark-processing[:@].*")


def is_submitted(image: object) -> bool:
    """Return whether a processing image, by its short name or its URI, is one of Spark."""
    return isinstance(image, str) and _SPARK.fullmatch(image) is not None


def starts_bundles(image: Image) -> bool | None:
    """Return whether an image's toolkit starts a bundle; None where nothing is known of it."""
    return None if image.framework is None else image.framework in _RUN_FILES
