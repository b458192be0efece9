"""JSON, CSV and NPY ↔ numpy arrays, like the default functions of the serving toolkits.

Unlike there, NPY is never read with pickle.
"""

from __future__ import annotations

import io
import json
from typing import Any

JSON, CSV, NPY, ANY = "application/json", "text/csv", "application/x-npy", "*/*"
TEXTS = (JSON, CSV)


class UnsupportedFormatError(Exception):
    """There is no decoder or encoder for a media type."""

    def __init__(self, media_type: str, known: tuple[str, ...] = (JSON, CSV, NPY)) -> None:
        use = f"{', '.join(known[:-1])} or {known[-1]}"
        super().__init__(f"media type `{media_type}` is not supported: use {use}")


def media_type(header: str) -> str:
    """Return a header's media type without its parameters."""
    return header.partition(";")[0].strip().lower()


def decode(data: str | bytes, content_type: str) -> Any:
    """Turn a request into an array.

    Raises:
        UnsupportedFormatError: the media type is none of the three.
    """
    import numpy as np  # noqa: PLC0415 - only if the user's code has no input_fn

    match media_type(content_type):
        case "application/json":
            return np.array(json.loads(data))
        case "text/csv":
            text = data if isinstance(data, str) else data.decode()
            return np.genfromtxt(io.StringIO(text), delimiter=",")
        case "application/x-npy":
            raw = data.encode() if isinstance(data, str) else data
            return np.load(io.BytesIO(raw), allow_pickle=False)
        case other:
            raise UnsupportedFormatError(other)


def encode(prediction: Any, accept: str) -> str | bytes:
    """Turn a prediction into a response.

    Raises:
        UnsupportedFormatError: the media type is none of the three.
    """
    match media_type(accept):
        case "application/json":
            return json.dumps(prediction, default=_plain)
        case "text/csv":
            import numpy as np  # noqa: PLC0415 - as above

            lines = io.StringIO()
            np.savetxt(lines, prediction, delimiter=",", fmt="%s")
            return lines.getvalue()
        case "application/x-npy":
            import numpy as np  # noqa: PLC0415 - as above

            buffer = io.BytesIO()
            np.save(buffer, prediction, allow_pickle=False)
            return buffer.getvalue()
        case other:
            raise UnsupportedFormatError(other)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
