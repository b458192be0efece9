"""The REST interface of TensorFlow Serving over SavedModels that this process has loaded."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .toolkits import ServingCodeError

_PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+))?(:(?P<method>\w+))?$")
_SIGNATURE = "serving_default"


class RestResponse:
    """A response of the interface, with what handlers use of `requests.Response`."""

    def __init__(self, status_code: int, value: object) -> None:
        self.status_code = status_code
        self.content = json.dumps(value).encode()
        self.headers = {"Content-Type": "application/json"}
        self.ok = status_code < 400
        self.reason = "OK" if self.ok else "Bad Request"
        self.encoding = "utf-8"

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()

    def json(self) -> Any:
        """Return the body's value."""
        return json.loads(self.content)

    def raise_for_status(self) -> None:
        """Raise if the status is an error."""
        if not self.ok:
            raise OSError(f"{self.status_code} {self.reason}: {self.text}")


class SavedModels:
    """The newest version of each SavedModel of an archive.

    Attributes:
        default: the name of the model that a request goes to which names none.
    """

    def __init__(self, loaded: Mapping[str, tuple[str, SavedModel]]) -> None:
        self._loaded = loaded
        first = next(iter(loaded))
        self.default = os.environ.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME", first)

    @classmethod
    def load(cls, model_dir: str) -> SavedModels:
        """Find and load them.

        Raises:
            ServingCodeError: there are none, or TensorFlow is not installed.
        """
        found: dict[str, list[Path]] = {}
        for file in sorted(Path(model_dir).rglob("saved_model.pb")):
            version = file.parent
            if version.name.isdigit():
                found.setdefault(version.parent.name, []).append(version)
        if not found:
            raise ServingCodeError(
                "the model has no SavedModel below a folder that is a number, such as"
                " `resnet/1/saved_model.pb`, which is all that TensorFlow Serving loads"
            )
        try:
            tensorflow = importlib.import_module("tensorflow")
        except ImportError:
            raise ServingCodeError(
                "the image serves SavedModels, for which TensorFlow is needed here and is not"
                " installed: `pip install tensorflow-cpu`"
            ) from None
        newest = {name: max(paths, key=lambda one: int(one.name)) for name, paths in found.items()}
        return cls({name: (p.name, SavedModel(tensorflow, p)) for name, p in newest.items()})

    def answer(self, uri: str, body: bytes) -> RestResponse:
        """Process a request of the interface."""
        found = _PATH.search(uri)
        known = self._loaded.get(found["name"]) if found else None
        if found is None or known is None or found["version"] not in {None, known[0]}:
            return RestResponse(404, {"error": f"Servable not found for request: {uri}"})
        if found["method"] != "predict":
            message = f"`{found['method']}` is not served locally: only `predict` is"
            return RestResponse(400, {"error": message})
        try:
            return RestResponse(200, known[1].predict(json.loads(body)))
        except Exception as error:  # noqa: BLE001 - TensorFlow's own, of many classes
            return RestResponse(400, {"error": str(error)})

    def status(self, uri: str) -> RestResponse:
        """Return which version of a model is loaded."""
        found = _PATH.search(uri)
        known = self._loaded.get(found["name"]) if found else None
        if known is None:
            return RestResponse(404, {"error": f"Could not find any versions of model {uri}"})
        state = {"version": known[0], "state": "AVAILABLE", "status": {"error_code": "OK"}}
        return RestResponse(200, {"model_version_status": [state]})


class SavedModel:
    """One SavedModel."""

    def __init__(self, tensorflow: Any, folder: Path) -> None:
        self._tensorflow = tensorflow
        self._model = tensorflow.saved_model.load(str(folder))

    def predict(self, request: Any) -> dict[str, Any]:
        """Process `{"instances": [row, …]}` or `{"inputs": columns}`.

        Raises:
            ValueError: the request has neither, or does not fit the signature.
        """
        if not isinstance(request, dict) or not request.keys() & {"instances", "inputs"}:
            raise ValueError('JSON Value: {} has no "instances" or "inputs"')
        name = request.get("signature_name", _SIGNATURE)
        if name not in self._model.signatures:
            raise ValueError(f'Serving signature name: "{name}" not found in signature def')
        function = self._model.signatures[name]
        specs = function.structured_input_signature[1]
        by_row = "instances" in request
        columns = (
            _columns(request["instances"], specs) if by_row else _inputs(request["inputs"], specs)
        )
        tensors = {
            name: self._tensorflow.constant(_decoded(value), dtype=specs[name].dtype)
            for name, value in columns.items()
        }
        outputs = {k: _plain(k, v.numpy().tolist()) for k, v in function(**tensors).items()}
        if not by_row:
            return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}
        if len(outputs) == 1:
            return {"predictions": next(iter(outputs.values()))}
        rows = zip(*outputs.values(), strict=True)
        return {"predictions": [dict(zip(outputs, row, strict=True)) for row in rows]}


def _columns(instances: Any, specs: Mapping[str, Any]) -> dict[str, Any]:
    """Turn rows into one column for each input."""
    if not isinstance(instances, list) or not instances:
        raise ValueError('"instances" must be a list with at least one row')
    named = [
        row.keys() if isinstance(row, dict) and row.keys() != {"b64"} else None for row in instances
    ]
    if any(names is not None for names in named):
        if any(names != specs.keys() for names in named):
            raise ValueError(f"each instance needs the inputs {', '.join(specs)}, and no others")
        return {name: [row[name] for row in instances] for name in specs}
    return {_only(specs): instances}


def _inputs(inputs: Any, specs: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(inputs, dict) and inputs.keys() != {"b64"}:
        if inputs.keys() != specs.keys():
            raise ValueError(f"the model has the inputs {', '.join(specs)}")
        return inputs
    return {_only(specs): inputs}


def _only(specs: Mapping[str, Any]) -> str:
    if len(specs) != 1:
        raise ValueError(f"name the inputs: the model has {', '.join(specs)}")
    return next(iter(specs))


def _decoded(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return base64.b64decode(value["b64"])
    return [_decoded(one) for one in value] if isinstance(value, list) else value


def _plain(name: str, value: Any) -> Any:
    """Write strings: as base64 where the output's name ends on `_bytes`, as text elsewhere."""
    if isinstance(value, list):
        return [_plain(name, one) for one in value]
    if not isinstance(value, bytes):
        return value
    is_binary = name.endswith("_bytes")
    return {"b64": base64.b64encode(value).decode()} if is_binary else value.decode()
