"""JPEG → instances for TensorFlow Serving → the classes by their probability."""

import io
import json
from typing import Any

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog", "plane")
SIZE = (32, 32)


def input_handler(data: io.BytesIO, context: Any) -> str:
    """Turn a request into one that TensorFlow Serving takes."""
    if context.request_content_type != "image/jpeg":
        raise ValueError(f"send a JPEG as image/jpeg, not {context.request_content_type}")
    picture = Image.open(io.BytesIO(data.read())).convert("RGB").resize(SIZE)
    return json.dumps({"instances": [np.asarray(picture).tolist()]})


def output_handler(response: Any, context: Any) -> tuple[str, str]:
    """Turn its answer into the one of the endpoint."""
    if response.status_code != 200:
        raise ValueError(response.text)
    (probabilities,) = response.json()["predictions"]
    named = sorted(zip(CLASSES, probabilities, strict=True), key=lambda one: -one[1])
    return json.dumps({name: round(share, 4) for name, share in named}), context.accept_header
