"""What the model server of an image calls in the user's code, as the sources of AWS's toolkits say.

The toolkits of sklearn, XGBoost, PyTorch and Hugging Face call the same functions and differ in
their defaults; TensorFlow Serving calls others, round its own answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.frozen import frozen
from pipelines.images.image import Image


@frozen
class HandlerContract:
    """What a model server calls.

    Args:
        server: what it is called.
        functions: the parameters of each function that it calls, by name.
        required: sets of functions, one of which the code must have; none if all have defaults.
        takes_context: whether a function may have the context as one more parameter.
        entry: the only file that it loads; None where the environment names one.
    """

    server: str
    functions: Mapping[str, tuple[str, ...]]
    required: tuple[tuple[str, ...], ...]
    takes_context: bool = False
    entry: str | None = None

    def signature(self, name: str) -> str:
        """Write a function as it has to be defined."""
        return f"{name}({', '.join(self.functions[name])})"


_STEPS: Final = {
    "model_fn": ("model_dir",),
    "input_fn": ("body", "content_type"),
    "predict_fn": ("data", "model"),
    "output_fn": ("prediction", "accept"),
    "transform_fn": ("model", "body", "content_type", "accept"),
}
_TENSORFLOW: Final = HandlerContract(
    "TensorFlow Serving",
    {
        "input_handler": ("data", "context"),
        "output_handler": ("response", "context"),
        "handler": ("data", "context"),
    },
    (("handler",), ("input_handler", "output_handler")),
    entry="inference.py",
)
_TOOLKITS: Final = {
    "sklearn": HandlerContract("the scikit-learn toolkit", _STEPS, (("model_fn",),)),
    "xgboost": HandlerContract("the XGBoost toolkit", _STEPS, (("model_fn",),), takes_context=True),
    # their default model_fn loads `model.pt` as TorchScript, and a pipeline of transformers
    "pytorch": HandlerContract("the PyTorch toolkit", _STEPS, (), takes_context=True),
    "huggingface": HandlerContract("the Hugging Face toolkit", _STEPS, (), takes_context=True),
}
_OWN: Final = HandlerContract("the server", {}, ())

REPLACED: Final = ("input_fn", "predict_fn", "output_fn")
"""What no code may have beside `transform_fn`."""


def contract_of(image: Image) -> HandlerContract | None:
    """Return what an image's model server calls; None where nothing is known of the image."""
    match image.serving:
        case "tensorflow-serving":
            return _TENSORFLOW
        case "sagemaker-toolkit":
            return _TOOLKITS.get(image.framework or "")
        case "own":
            return _OWN
        case None:
            return None


def every_handler() -> Mapping[str, tuple[str, ...]]:
    """Return the functions that any model server calls, with their parameters."""
    return {**_STEPS, **_TENSORFLOW.functions}
