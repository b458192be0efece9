"""The serving code between a JPEG and TensorFlow Serving."""

from __future__ import annotations

import importlib.util
import io
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def inference() -> ModuleType:
    """Load the serving code, as the image's server does."""
    pytest.importorskip("PIL", reason="the serving code reads pictures with pillow")
    spec = importlib.util.spec_from_file_location("inference", PROJECT / "serving/inference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def context(content_type: str) -> SimpleNamespace:
    """Return what the server says of a request."""
    return SimpleNamespace(request_content_type=content_type, accept_header="application/json")


def test_a_jpeg_becomes_one_instance_of_the_networks_size(inference: ModuleType) -> None:
    """Rows of pixels of three colours."""
    photo = io.BytesIO((PROJECT / "serving/cat.jpg").read_bytes())
    (instance,) = json.loads(inference.input_handler(photo, context("image/jpeg")))["instances"]
    assert (len(instance), len(instance[0]), len(instance[0][0])) == (32, 32, 3)


def test_another_media_type_is_refused(inference: ModuleType) -> None:
    """With what to send."""
    with pytest.raises(ValueError, match="send a JPEG as image/jpeg, not image/png"):
        inference.input_handler(io.BytesIO(b""), context("image/png"))


def test_the_most_probable_class_comes_first(inference: ModuleType) -> None:
    """By its name, in the media type that is wanted."""
    answer = SimpleNamespace(status_code=200, json=lambda: {"predictions": [[0.2, 0.7, 0.1]]})
    body, content_type = inference.output_handler(answer, context("image/jpeg"))
    assert content_type == "application/json"
    assert list(json.loads(body)) == ["dog", "cat", "plane"]


def test_an_error_of_tensorflow_serving_is_told(inference: ModuleType) -> None:
    """Its text reaches the caller."""
    answer = SimpleNamespace(status_code=400, text="wrong shape")
    with pytest.raises(ValueError, match="wrong shape"):
        inference.output_handler(answer, context("image/jpeg"))
