"""What each of AWS's serving toolkits does where the user's code has no function for it.

The differences are those of their sources: what a request becomes, how the model is asked, which
status a failure has. An image of which nothing is known is served like the general toolkit.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import formats


class ServingCodeError(Exception):
    """The serving module lacks a function that a server needs, or has a wrong one."""


class Toolkit:
    """The defaults that the toolkits share.

    Args:
        program: the file of the serving code.

    Attributes:
        takes_context: whether a function may have the context as one more parameter.
        failed: the status of a request that the code failed on.
    """

    takes_context = True
    failed = 500

    def __init__(self, program: str) -> None:
        self.program = program

    def load(self, _model_dir: str) -> Any:
        """Load the model: nothing that all of them could do."""
        raise ServingCodeError(f"`{self.program}` has no model_fn(model_dir)")

    def read(self, body: str | bytes, content_type: str) -> Any:
        """Turn a request into data."""
        return formats.decode(body, content_type)

    def predict(self, data: Any, model: Any) -> Any:
        """Ask the model."""
        return self._predictor(model)(data)

    def write(self, prediction: Any, accept: str) -> str | bytes:
        """Turn a prediction into a response."""
        return formats.encode(prediction, accept)

    def check(self, model: Any, missing: frozenset[str]) -> None:
        """Check, before the first request, that the defaults in the place of `missing` can work.

        Raises:
            ServingCodeError: one cannot.
        """
        if "predict_fn" in missing:
            self._predictor(model)

    def _predictor(self, model: Any) -> Callable[[Any], Any]:
        predict = getattr(model, "predict", None) or model
        if callable(predict):
            chosen: Callable[[Any], Any] = predict
            return chosen
        raise ServingCodeError(
            f"`{self.program}` has no predict_fn, and the model that model_fn returned cannot"
            f" predict: it is a {type(model).__name__}"
        )

    def _require(self, module: str) -> Any:
        """Import what the image has of itself."""
        try:
            return importlib.import_module(module)
        except ImportError:
            raise ServingCodeError(
                f"the image's defaults need `{module}`, which is not installed here:"
                f" `pip install {module}`"
            ) from None


class ScikitLearn(Toolkit):
    """Text becomes float32; no function gets the context."""

    takes_context = False

    def read(self, body: str | bytes, content_type: str) -> Any:
        """Turn a request into an array."""
        array = formats.decode(body, content_type)
        return array.astype("float32") if content_type in formats.TEXTS else array

    def _predictor(self, model: Any) -> Callable[[Any], Any]:
        predict: Callable[[Any], Any] | None = getattr(model, "predict", None)
        if predict is not None:
            return predict
        raise ServingCodeError(
            f"`{self.program}` has no predict_fn, and the model that model_fn returned has no"
            f" `predict`: it is a {type(model).__name__}"
        )


class XGBoost(Toolkit):
    """A request becomes a DMatrix, and JSON is not read."""

    def read(self, body: str | bytes, content_type: str) -> Any:
        """Turn CSV or libsvm into a DMatrix."""
        xgboost = self._require("xgboost")
        text = body if isinstance(body, str) else body.decode()
        match formats.media_type(content_type):
            case "text/csv":
                import numpy as np  # noqa: PLC0415 - only if the user's code has no input_fn

                return xgboost.DMatrix(np.genfromtxt(io.StringIO(text), delimiter=",", ndmin=2))
            case "text/libsvm" | "text/x-libsvm":
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder, "rows.libsvm")
                    file.write_text(text, encoding="utf-8")
                    return xgboost.DMatrix(f"{file}?format=libsvm")
            case other:
                raise formats.UnsupportedFormatError(other, ("text/csv", "text/libsvm"))

    def predict(self, data: Any, model: Any) -> Any:
        """Ask a booster."""
        return model.predict(data, validate_features=False)

    def check(self, model: Any, missing: frozenset[str]) -> None:
        """Check that there is XGBoost, and a booster."""
        if "input_fn" in missing:
            self._require("xgboost")
        super().check(model, missing)


class PyTorch(Toolkit):
    """`model.pt` is loaded as TorchScript; a request becomes a tensor."""

    def load(self, model_dir: str) -> Any:
        """Load TorchScript."""
        file = Path(model_dir, "model.pt")
        if not file.is_file():
            raise ServingCodeError(
                f"`{self.program}` has no model_fn(model_dir), and the model has no `model.pt`,"
                " which the image would load as TorchScript"
            )
        return self._require("torch").jit.load(str(file))

    def read(self, body: str | bytes, content_type: str) -> Any:
        """Turn a request into a tensor."""
        torch, array = self._require("torch"), formats.decode(body, content_type)
        return torch.FloatTensor(array) if content_type in formats.TEXTS else torch.tensor(array)

    def predict(self, data: Any, model: Any) -> Any:
        """Ask a module, in evaluation mode and without gradients."""
        with self._require("torch").no_grad():
            model.eval()
            return model(data)

    def write(self, prediction: Any, accept: str) -> str | bytes:
        """Turn a tensor into a response."""
        if hasattr(prediction, "detach"):
            prediction = prediction.detach().cpu().numpy().tolist()
        return formats.encode(prediction, accept)

    def check(self, model: Any, missing: frozenset[str]) -> None:
        """Check that there is PyTorch, and a module."""
        if missing & {"input_fn", "predict_fn"}:
            self._require("torch")
        if "predict_fn" in missing and not (callable(model) and hasattr(model, "eval")):
            raise ServingCodeError(
                f"`{self.program}` has no predict_fn, and the model that model_fn returned is no"
                f" module of PyTorch: it is a {type(model).__name__}"
            )


_TASKS = {
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForTokenClassification": "token-classification",
    "ForSequenceClassification": "text-classification",
    "ForMultipleChoice": "multiple-choice",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "EncoderDecoderModel": "text2text-generation",
    "GPT2LMHeadModel": "text-generation",
    "T5WithLMHeadModel": "text2text-generation",
}
"""What the Hugging Face toolkit takes for the task of an architecture, by the end of its name."""


class HuggingFace(Toolkit):
    """A pipeline of transformers answers `{"inputs": …}`; failures are 400."""

    failed = 400

    def load(self, model_dir: str) -> Any:
        """Make a pipeline by HF_TASK, or by the architecture in the model's config.json."""
        task = os.environ.get("HF_TASK") or self._task(Path(model_dir, "config.json"))
        return self._require("transformers").pipeline(task, model=model_dir)

    def _task(self, config: Path) -> str:
        if not config.is_file():
            raise ServingCodeError(
                f"`{self.program}` has no model_fn(model_dir): set HF_TASK in"
                " `serving.environment`, or put `config.json` into the model"
            )
        named = json.loads(config.read_bytes()).get("architectures") or [""]
        for end, task in _TASKS.items():
            if named[0].endswith(end):
                return task
        raise ServingCodeError(
            f"`config.json` of the model names the architecture `{named[0]}`, whose task the image"
            " does not know: set HF_TASK in `serving.environment`"
        )

    def read(self, body: str | bytes, content_type: str) -> Any:
        """Turn JSON or CSV into a dictionary; images and sound stay as they are."""
        match formats.media_type(content_type).partition("/"):
            case "application", _, "json":
                return json.loads(body)
            case "text", _, "csv":
                text = body if isinstance(body, str) else body.decode()
                rows = list(csv.DictReader(io.StringIO(text)))
                return {"inputs": [row.get("inputs", row) for row in rows]}
            case (("image" | "audio"), _, _):
                return {"inputs": body}
            case kind, _, name:
                known = (formats.JSON, formats.CSV, "image/*", "audio/*")
                raise formats.UnsupportedFormatError(f"{kind}/{name}", known)

    def predict(self, data: Any, model: Any) -> Any:
        """Ask a pipeline."""
        parameters = data.pop("parameters", None) or {}
        return model(data.pop("inputs", data), **parameters)


TOOLKITS: dict[str, type[Toolkit]] = {
    "sklearn": ScikitLearn,
    "xgboost": XGBoost,
    "pytorch": PyTorch,
    "huggingface": HuggingFace,
}
