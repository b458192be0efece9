"""Serving code against what the model server of its image calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import Diagnostic, Severity

SPEC = """
spec: 1
pipeline: p
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
parameters: {image: {type: string, default: "mine:1"}}
steps:
  register:
    kind: registration
    group: g
    model: s3://team-bucket/model.tar.gz
    serving: {source: serving/, image: "%s"}
"""
MODEL = "def model_fn(model_dir): ...\n"
AROUND = "def input_handler(data, context): ...\ndef output_handler(response, context): ...\n"


def _found(folder: Path, image: str, code: str) -> tuple[Diagnostic, ...]:
    (folder / "serving").mkdir()
    (folder / "serving" / "inference.py").write_text(code, "utf-8")
    (folder / "pipeline.yaml").write_text(SPEC % image, "utf-8")
    return validate(CompileRequest(folder / "pipeline.yaml", None, {})).diagnostics


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("sklearn-1.9-cpu", MODEL),
        ("sklearn-1.9-cpu", "async def model_fn(*arguments): ..."),
        ("sklearn-1.9-cpu", MODEL + "def predict_fn(data, model, more=None): ..."),
        ("sklearn-1.9-cpu", "try:\n    from near import model_fn\nexcept ImportError:\n    raise"),
        ("sklearn-1.9-cpu", "if True:\n    def model_fn(model_dir): ..."),
        ("sklearn-1.9-cpu", "def load(): ...\nmodel_fn = other = load"),
        ("sklearn-1.9-cpu", "import functools\n@functools.cache\ndef model_fn(): ..."),
        ("sklearn-1.9-cpu", MODEL + "class Server:\n    def handler(self, context): ..."),
        ("sklearn-1.9-cpu", MODEL + "handler = model_fn"),
        ("sklearn-1.9-cpu", "def load(): ...\nmodel_fn: object = load"),
        ("sklearn-1.9-cpu", "def load(): ...\nif (model_fn := load): ..."),
        ("sklearn-1.9-cpu", "def load(): ...\nfor model_fn in (load,): ..."),
        ("sklearn-1.9-cpu", "def load(): ...\nmodel_fn, other = load, 1"),
        ("sklearn-1.9-cpu", "class model_fn:\n    def __init__(self, folder): ..."),
        ("sklearn-1.9-cpu", "class S:\n    def load(self, d): ...\nmodel_fn = S().load"),
        ("sklearn-1.9-cpu", "def bind():\n    global model_fn\n    model_fn = len\nbind()"),
        ("sklearn-1.9-cpu", "def load(): ...\nglobals()['model_fn'] = load"),
        ("sklearn-1.9-cpu", "def __getattr__(name): ..."),
        ("sklearn-1.9-cpu", "match 1:\n    case 1:\n        def model_fn(model_dir): ..."),
        ("sklearn-1.9-cpu", "from json import load as model_fn"),
        ("pytorch-2.6-cpu", "def handler(a, b): ...\ndef predict_fn(data, model): handler(1, 2)"),
        ("xgboost-3.0", "def model_fn(model_dir, context): ..."),
        ("pytorch-2.6-cpu", "def predict_fn(data, model, context): ..."),
        ("huggingface-pytorch-2.6-transformers-4.49-cpu", ""),
        ("tensorflow-2.20-cpu", AROUND),
        ("tensorflow-2.20-cpu", "def handler(data, context): ..."),
        ("xgboost-1", "import os"),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1", "def handler(data, context): ..."),
        ("${parameters.image}", AROUND),
    ],
)
def test_nothing_is_said_of_code_that_its_server_calls(
    image: str, code: str, tmp_path: Path
) -> None:
    """However a name comes to stand at the top of the module."""
    assert _found(tmp_path, image, code) == ()


def test_nothing_is_missing_where_everything_is_imported(tmp_path: Path) -> None:
    """`import *` may bring what a server needs."""
    assert _found(tmp_path, "sklearn-1.9-cpu", "from json import *") == ()


@pytest.mark.parametrize(
    ("image", "code", "message"),
    [
        ("tensorflow-2.20-cpu", "", "has no input_handler and no output_handler"),
        ("tensorflow-2.20-cpu", "def output_handler(r, c): ...", "has no input_handler,"),
        ("tensorflow-2.20-cpu", "def handler(data): ...", "`handler` does not take 2 arguments"),
        ("tensorflow-2.20-cpu", MODEL, "`model_fn` is never called"),
        ("xgboost-3.0", "class A:\n    def model_fn(self): ...", "has no model_fn"),
        ("pytorch-2.6-cpu", AROUND.splitlines()[0], "`input_handler` is never called"),
        ("pytorch-2.6-cpu", "def handler(data, context): ...", "`handler` is never called"),
        ("pytorch-2.6-cpu", "def input_fn(a, b, c, d): ...", "`input_fn` does not take 2 arg"),
        ("pytorch-2.6-cpu", "def input_fn(a, b, *, c): ...", "`input_fn` does not take 2 arg"),
        ("sklearn-1.9-cpu", "def model_fn(folder, context): ...", "`model_fn` does not take 1 arg"),
        (
            "sklearn-1.9-cpu",
            MODEL + "def transform_fn(*a): ...\ndef input_fn(*a): ...",
            "`input_fn` stands beside `transform_fn`",
        ),
    ],
)
def test_what_a_server_would_not_call_is_found(
    image: str, code: str, message: str, tmp_path: Path
) -> None:
    """Each mistake once."""
    (found,) = _found(tmp_path, image, code)
    assert found.code == "SP409"
    assert message in found.message


@pytest.mark.parametrize(
    ("image", "code", "name"),
    [
        ("tensorflow-2.20-cpu", AROUND + MODEL, "model_fn"),
        ("sklearn-1.9-cpu", MODEL + "def handler(event, context): ...", "handler"),
        ("pytorch-2.6-cpu", MODEL + "def output_handler(r, c): ...", "output_handler"),
        ("sklearn-1.9-cpu", "from math import *\ndef input_handler(d, c): ...", "input_handler"),
    ],
)
def test_what_is_for_another_server_only_warns_beside_what_is_called(
    image: str, code: str, name: str, tmp_path: Path
) -> None:
    """The image serves the model: one module may be for two images, or for a Lambda function."""
    (found,) = _found(tmp_path, image, code)
    assert found.severity is Severity.WARNING
    assert f"`{name}` is never called" in found.message


def test_what_is_for_another_server_says_what_to_write(tmp_path: Path) -> None:
    """One finding: what is missing is in the help of what is not called."""
    (found,) = _found(tmp_path, "sklearn-1.9-cpu", "def handler(data, context): ...")
    assert found.help == "write `def model_fn(model_dir):`"


def test_code_that_no_parser_has_room_for_is_said_once(tmp_path: Path) -> None:
    """Where its imports are followed."""
    (found,) = _found(tmp_path, "sklearn-1.9-cpu", f"x = {'-' * 90_000}1")
    assert (found.code, "nested too deep" in found.message) == ("SP303", True)
