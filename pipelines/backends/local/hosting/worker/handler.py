"""The user's serving module → a function from requests to replies, as AWS's toolkits call it.

`model_fn(model_dir)` is called once; per request `transform_fn(model, body, content_type, accept)`,
or `input_fn(body, content_type)`, `predict_fn(data, model)` and `output_fn(prediction, accept)`; a
missing one of these is the toolkits' default. A function with one more parameter gets the context.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from . import formats
from .failures import FailureReport
from .toolkits import TOOLKITS, ServingCodeError, Toolkit

_STEPS = ("input_fn", "predict_fn", "output_fn")
_BAD_REQUEST, _NOT_ACCEPTABLE, _UNSUPPORTED = 400, 406, 415


class InvocationRequest(NamedTuple):
    """A request; the names in `headers` are in lower case."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str]


class InvocationReply(NamedTuple):
    """A response; `headers` are further ones."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = MappingProxyType({})


class ToolkitContext:
    """The context of the toolkits, for functions that take it: properties and request headers."""

    def __init__(self, model_dir: str, headers: Mapping[str, str]) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self._headers = headers

    def get_request_header(self, _index: int, name: str) -> str | None:
        """Return a header of the request."""
        return self._headers.get(name.lower())

    def get_all_request_header(self, _index: int) -> dict[str, str]:
        """Return all headers of the request."""
        return dict(self._headers)


def one_line(error: BaseException) -> str:
    """Write an exception in one line."""
    text = str(error).strip()
    first = text.splitlines()[0] if text else ""
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


def load(report: FailureReport, program: str, model_dir: str, framework: str) -> ServingHandler:
    """Import the serving module and load the model.

    Args:
        report: where the serving code is, and how its failures are told.
        program: the module's file in it; "" where the toolkit's defaults do without.
        model_dir: the folder of the model.
        framework: whose toolkit serves it; any other word for the general one.

    Raises:
        ServingCodeError: a function is missing or takes other arguments.
    """
    module = import_program(report, program) if program else None
    toolkit = TOOLKITS.get(framework, Toolkit)(program or "code/inference.py")
    return ServingHandler(module, toolkit, model_dir, report)


def import_program(report: FailureReport, program: str) -> Any:
    """Import the serving module; what lies beside it can be imported, too.

    Raises:
        ServingCodeError: it is not Python.
    """
    file = Path(report.code, program)
    for folder in dict.fromkeys((str(file.parent), report.code)):
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ServingCodeError(f"`{program}` is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


class ServingHandler:
    """A loaded model and the functions around it."""

    def __init__(
        self, module: Any, toolkit: Toolkit, model_dir: str, report: FailureReport
    ) -> None:
        self._report = report
        self._toolkit = toolkit
        self._model_dir = model_dir
        self._default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", formats.JSON)
        functions = {name: getattr(module, name, None) for name in ("transform_fn", *_STEPS)}
        self._transform = self._choose_transform(functions)
        model_fn = self._with_context(
            getattr(module, "model_fn", None) or toolkit.load, "model_fn", 1
        )
        self._model = model_fn(ToolkitContext(model_dir, {}), model_dir)
        if not functions["transform_fn"]:
            missing = frozenset(name for name in _STEPS if not functions[name])
            toolkit.check(self._model, missing)

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Process a request; an exception in the user's code becomes a 500, traceback on stderr."""
        content_type = request.content_type or formats.JSON
        accept = request.accept
        if not accept or accept == formats.ANY:
            accept = self._default_accept
        body: str | bytes = request.body
        if content_type in formats.TEXTS:
            try:
                body = request.body.decode("utf-8")
            except UnicodeDecodeError:
                return plain_reply(_BAD_REQUEST, "the request body is not UTF-8")
        try:
            context = ToolkitContext(self._model_dir, request.headers)
            result = self._transform(context, self._model, body, content_type, accept)
            return read_result(result, accept)
        except _RefusedError as refusal:
            return plain_reply(refusal.status, str(refusal))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
            self._report.write()
            return plain_reply(self._toolkit.failed, one_line(error))

    def _choose_transform(self, functions: Mapping[str, Any]) -> Callable[..., Any]:
        transform = functions["transform_fn"]
        steps = [name for name in _STEPS if functions[name]]
        if transform and steps:
            raise ServingCodeError(
                f"`{self._toolkit.program}` has transform_fn and {', '.join(steps)}: "
                "transform_fn replaces the three others, remove it or them"
            )
        if transform:
            return self._with_context(transform, "transform_fn", 4)
        read = self._with_context(functions["input_fn"] or self._toolkit.read, "input_fn", 2)
        predict = self._with_context(
            functions["predict_fn"] or self._toolkit.predict, "predict_fn", 2
        )
        write = self._with_context(functions["output_fn"] or self._toolkit.write, "output_fn", 2)

        def transform_in_steps(
            context: ToolkitContext, model: Any, body: str | bytes, content_type: str, accept: str
        ) -> Any:
            try:
                data = read(context, body, content_type)
            except formats.UnsupportedFormatError as error:
                raise _RefusedError(str(error), _UNSUPPORTED) from None
            prediction = predict(context, data, model)
            try:
                return write(context, prediction, accept)
            except formats.UnsupportedFormatError as error:
                raise _RefusedError(str(error), _NOT_ACCEPTABLE) from None

        return transform_in_steps

    def _with_context(
        self, function: Callable[..., Any], name: str, count: int
    ) -> Callable[..., Any]:
        """Wrap a function so that it takes the context first, passed on if it has room for it."""

        def without_context(_context: ToolkitContext, *given: Any) -> Any:
            return function(*given)

        try:
            signature = inspect.signature(function)
        except ValueError:  # of a function in C that does not say
            return without_context
        parameters = signature.parameters.values()
        variable = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
        takes_context = self._toolkit.takes_context
        if variable or len(parameters) == count:
            return without_context
        if takes_context and len(parameters) == count + 1:
            return lambda context, *given: function(*(*given, context))
        if not takes_context and _accepts(signature, count):
            return without_context
        raise ServingCodeError(
            f"`{name}` in `{self._toolkit.program}` takes {len(parameters)} arguments,"
            f" not {count}{f' (or {count + 1} with the context)' if takes_context else ''}"
        )


def _accepts(signature: inspect.Signature, count: int) -> bool:
    """Return whether a function can be called with this many positional arguments."""
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


class _RefusedError(Exception):
    """A request in a format that the default functions do not support."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


def read_result(result: Any, accept: str) -> InvocationReply:
    """Turn what the user's code returned into a reply.

    Args:
        result: a body; (body, media type); (body, status, media type); or a response object of
            the toolkits, with `status_code`, `get_data()` and `content_type`.
        accept: the media type if there is only a body.
    """
    if hasattr(result, "status_code") and callable(getattr(result, "get_data", None)):
        return InvocationReply(
            int(result.status_code), result.get_data(), result.content_type or accept
        )
    status, media = 200, accept
    if isinstance(result, tuple):
        if len(result) == 3:
            result, status, media = result
        elif len(result) == 2:
            result, media = result
        else:
            raise TypeError(f"the serving code returned a tuple of {len(result)} values")
    return InvocationReply(int(status), _bytes(result), str(media))


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8")
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if isinstance(body, (dict, list)):
        return json.dumps(body).encode()
    raise TypeError(f"the serving code returned a {type(body).__name__}, not text or bytes")


def plain_reply(status: int, text: str) -> InvocationReply:
    """Reply with a text."""
    return InvocationReply(status, text.encode("utf-8", "replace"), "text/plain; charset=utf-8")
