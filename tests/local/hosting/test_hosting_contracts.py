"""Model servers call the user's code as the toolkit of their image does."""

from __future__ import annotations

import json

import pytest

from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import FleetError, Invocation
from tests.local.hosting.conftest import Serve

pytestmark = pytest.mark.one_way

SKLEARN, XGBOOST, PYTORCH = "sklearn-1.9-cpu", "xgboost-3.0", "pytorch-2.6-cpu"
HUGGING_FACE = "huggingface-pytorch-2.6-transformers-4.49-cpu"
TENSORFLOW = "tensorflow-2.20-cpu"
KINDS = """
class Model:
    def predict(self, data, **options):
        return [[type(data).__name__, str(getattr(data, "dtype", "")), str(options)]]
def model_fn(model_dir):
    return Model()
"""
FAKE_XGBOOST = """
class DMatrix:
    def __init__(self, data):
        self.dtype = data if isinstance(data, str) else data.shape
"""
FAKE_TENSORFLOW = """
import json
import numpy
class Tensor(list):
    def numpy(self):
        return numpy.array(self)
class Spec:
    dtype = "float32"
class Signature:
    def __init__(self, path, inputs, outputs):
        self.path, self.outputs = path, outputs
        self.structured_input_signature = ((), {name: Spec() for name in inputs})
    def __call__(self, **columns):
        values = [numpy.asarray(column).tolist() for column in columns.values()]
        return {name: Tensor(values[-1]) for name in self.outputs}
class Loaded:
    def __init__(self, path):
        said = json.load(open(path + "/saved_model.pb"))
        self.signatures = {"serving_default": Signature(path, *said)}
class saved_model:
    load = staticmethod(Loaded)
def constant(value, dtype):
    return numpy.array(value, dtype="O" if isinstance(value[0], bytes) else dtype)
"""
ONE = json.dumps([["x"], ["y"]])
SAVED = {"net/1/saved_model.pb": "not read", "net/2/saved_model.pb": ONE}
WITH_FAKE = {**SAVED, "vendor/tensorflow.py": FAKE_TENSORFLOW}
VENDOR = {"PYTHONPATH": "/opt/ml/model/vendor"}
AROUND = """
import json
def input_handler(data, context):
    if context.request_content_type != "image/jpeg":
        raise ValueError("not a picture: " + context.request_content_type)
    return json.dumps({"instances": [list(data.read())]})
def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.text)
    return json.dumps(response.json()["predictions"]), context.accept_header
"""
HANDLER = """
import urllib.request
def handler(data, context):
    asked = urllib.request.Request(context.rest_uri, data=data.read())
    with urllib.request.urlopen(asked) as answer:
        return answer.read(), "text/x-" + (context.model_version or "newest")
"""


def ask(
    fleet: Fleet, body: str, content_type: str = "application/json", **headers: str
) -> tuple[int, str, str]:
    """Send a request; return status, media type and body."""
    named = {f"X-Amzn-SageMaker-{name.replace('_', '-')}": text for name, text in headers.items()}
    answer = fleet.invoke(Invocation(body.encode("latin-1"), content_type, "*/*", named))
    return answer.status, answer.content_type, answer.body.decode()


def test_scikit_learn_gets_numbers_of_four_bytes(serve: Serve) -> None:
    """Its default input_fn casts text to float32."""
    status, _, body = ask(serve(KINDS, image=SKLEARN), "[[1, 2]]")
    assert (status, json.loads(body)) == (200, [["ndarray", "float32", "{}"]])


@pytest.mark.parametrize(
    "predict",
    [
        "def predict_fn(data, model, more=None): return [1]",
        "import functools\npredict_fn = functools.partial(lambda a, b, c: [a], 1)",
    ],
)
def test_scikit_learn_takes_what_can_be_called_so(predict: str, serve: Serve) -> None:
    """A further parameter with a default, and what is no `def`."""
    code = f"def model_fn(folder): return 1\n{predict}"
    assert ask(serve(code, image=SKLEARN), "[[1, 2]]") == (200, "application/json", "[1]")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import functools\nmodel_fn = functools.partial(lambda a, b, c: 1, 1)",
            "`model_fn` in `inference.py` takes 2 arguments",
        ),
        ("def model_fn(folder, context): ...", "takes 2 arguments, not 1$"),
        ("def model_fn(folder): return print", "has no `predict`"),
        ("def predict_fn(data, model): ...", r"has no model_fn\(model_dir\)"),
    ],
)
def test_scikit_learn_refuses_what_the_general_toolkit_would_take(
    code: str, reason: str, serve: Serve
) -> None:
    """Its server hands no context to functions, and calls `predict` alone."""
    with pytest.raises(FleetError, match=reason.rstrip("$")) as refused:
        serve(code, image=SKLEARN)
    assert "with the context" not in refused.value.reason


def test_xgboost_gets_a_matrix_of_its_own(serve: Serve) -> None:
    """From CSV and libsvm; JSON is refused, as its image refuses it."""
    fleet = serve(
        KINDS, image=XGBOOST, files={"vendor/xgboost.py": FAKE_XGBOOST}, environment=VENDOR
    )
    said = json.loads(ask(fleet, "1,2\n3,4", "text/csv")[2])
    assert said == [["DMatrix", "(2, 2)", "{'validate_features': False}"]]
    assert json.loads(ask(fleet, "1 1:2", "text/libsvm")[2])[0][1].endswith("?format=libsvm")
    assert ask(fleet, "[[1]]")[0] == 415


@pytest.mark.parametrize(
    ("image", "module"), [(XGBOOST, "xgboost"), (HUGGING_FACE, "transformers")]
)
def test_what_an_image_brings_and_this_machine_lacks_is_named(
    image: str, module: str, serve: Serve
) -> None:
    """With what to install; the code may do without by functions of its own."""
    pytest.importorskip("numpy")
    blocked = {f"vendor/{module}.py": "raise ImportError"}
    code = KINDS if image == XGBOOST else "import os"
    with pytest.raises(FleetError, match=f"pip install {module}"):
        serve(code, image=image, files=blocked, environment={**VENDOR, "HF_TASK": "fill-mask"})


def test_hugging_face_takes_the_task_from_the_architecture(serve: Serve) -> None:
    """Of a model in a folder transformers itself cannot say it; one that is unknown is named."""
    fake = {"vendor/transformers.py": "def pipeline(task, model):\n    return lambda _: [task]\n"}

    def model(architecture: str) -> dict[str, str]:
        return {**fake, "config.json": json.dumps({"architectures": [architecture]})}

    known = model("DistilBertForSequenceClassification")
    fleet = serve("import os", image=HUGGING_FACE, files=known, environment=VENDOR)
    assert ask(fleet, json.dumps({"inputs": "fine"}))[2] == '["text-classification"]'
    with pytest.raises(FleetError, match="`DistilBertModel`, whose task the image does not know"):
        serve("import os", image=HUGGING_FACE, files=model("DistilBertModel"), environment=VENDOR)


def test_pytorch_gets_tensors_and_loads_torchscript(serve: Serve) -> None:
    """Without a function at all; a model that has no `model.pt` is refused."""
    torch = pytest.importorskip("torch")
    with pytest.raises(FleetError, match=r"has no `model\.pt`"):
        serve("import os", image=PYTORCH)
    code = """
import shutil, torch
class Double(torch.nn.Module):
    def forward(self, x):
        return x * 2
def model_fn(model_dir):
    return Double()
"""
    assert torch.__version__
    assert ask(serve(code, image=PYTORCH), "[[1, 2]]")[2] == "[[2.0, 4.0]]"


def test_hugging_face_asks_a_pipeline_with_inputs_and_parameters(serve: Serve) -> None:
    """A failure is 400 there."""
    code = "def model_fn(folder): return lambda inputs, **more: [inputs, more]"
    fleet = serve(code, image=HUGGING_FACE)
    asked = '{"inputs": "a", "parameters": {"k": 1}}'
    assert json.loads(ask(fleet, asked)[2]) == ["a", {"k": 1}]
    assert json.loads(ask(fleet, "inputs\nb\nc", "text/csv")[2]) == [["b", "c"], {}]
    assert ask(fleet, "not json")[0] == 400
    assert ask(fleet, "x", "text/html")[0] == 415


def test_tensorflow_serving_stands_between_the_two_handlers(serve: Serve) -> None:
    """The newest version is served; an exception is a 500 with its text."""
    fleet = serve(AROUND, image=TENSORFLOW, files=WITH_FAKE, environment=VENDOR)
    assert ask(fleet, "\x01\xff", "image/jpeg") == (200, "application/json", "[[1.0, 255.0]]")
    status, _, body = ask(fleet, "1", "text/csv")
    assert (status, json.loads(body)) == (500, {"error": "not a picture: text/csv"})


def test_a_handler_asks_tensorflow_serving_itself(serve: Serve) -> None:
    """At the context's address; custom attributes choose the version."""
    fleet = serve(HANDLER, image=TENSORFLOW, files=WITH_FAKE, environment=VENDOR)
    said = ask(fleet, '{"inputs": [[5]]}')
    assert said == (200, "text/x-newest", '{"outputs": [[5.0]]}')
    chosen = ask(fleet, '{"inputs": [[5]]}', Custom_Attributes="tfs-model-version=2")
    assert chosen[1] == "text/x-2"
    missing = ask(fleet, '{"inputs": [[5]]}', Custom_Attributes="tfs-model-version=1")
    assert missing[0] == 500


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        ('{"instances": [[1], [2]]}', "application/json", 200, {"predictions": [[1.0], [2.0]]}),
        ("[[1], [2]]", "application/json", 200, {"predictions": [[1.0], [2.0]]}),
        ("[1, 2]", "application/json", 200, {"predictions": [[1.0, 2.0]]}),
        ("1,2\n3,4", "text/csv", 200, {"predictions": [[1.0, 2.0], [3.0, 4.0]]}),
        ("[1]\n[2]", "application/jsonlines", 200, {"predictions": [[1.0], [2.0]]}),
        ('{"instances": [{"x": [1]}]}', "application/json", 200, {"predictions": [[1.0]]}),
    ],
)
def test_a_saved_model_needs_no_code(
    body: str, content_type: str, status: int, said: object, serve: Serve
) -> None:
    """The image then takes JSON, CSV and JSON lines, in the interface's words or without them."""
    fleet = serve("", image=TENSORFLOW, files=WITH_FAKE, environment=VENDOR)
    got = ask(fleet, body, content_type)
    assert (got[0], json.loads(got[2])) == (status, said)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "error"),
    [
        ("\xff", "image/jpeg", 415, "`image/jpeg` is not supported"),
        ('{"instances": []}', "application/json", 400, "at least one row"),
        ('{"instances": [{"z": 1}]}', "application/json", 400, "needs the inputs x"),
        ('{"inputs": {"z": [1]}}', "application/json", 400, "has the inputs x"),
        ('{"examples": []}', "application/json", 400, 'no "instances" or "inputs"'),
        ('{"signature_name": "a", "inputs": [1]}', "application/json", 400, "not found in"),
        ("[", "application/json", 400, "Expecting value"),
    ],
)
def test_a_saved_model_says_what_is_wrong_with_a_request(
    body: str, content_type: str, status: int, error: str, serve: Serve
) -> None:
    """As JSON, with the interface's statuses."""
    fleet = serve("", image=TENSORFLOW, files=WITH_FAKE, environment=VENDOR)
    got = ask(fleet, body, content_type)
    assert got[0] == status
    assert error in json.loads(got[2])["error"]


def test_several_inputs_and_outputs_go_by_their_names(serve: Serve) -> None:
    """Rows are dictionaries; an output whose name ends on `_bytes` is base64."""
    saved = {"1/saved_model.pb": json.dumps([["a", "b"], ["p", "q"]])}
    files = {**saved, "vendor/tensorflow.py": FAKE_TENSORFLOW}
    fleet = serve("", image=TENSORFLOW, files=files, environment=VENDOR)
    rows = ask(fleet, '{"instances": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}')[2]
    assert json.loads(rows) == {"predictions": [{"p": 2.0, "q": 2.0}, {"p": 4.0, "q": 4.0}]}
    columns = ask(fleet, '{"inputs": {"a": [1], "b": [2]}}')[2]
    assert json.loads(columns) == {"outputs": {"p": [2.0], "q": [2.0]}}
    assert "name the inputs" in ask(fleet, '{"instances": [1]}')[2]


@pytest.mark.parametrize(
    ("code", "files", "reason"),
    [
        ("", {"net/saved_model.pb": ""}, "no SavedModel below a folder that is a number"),
        ("", {**SAVED, "vendor/tensorflow.py": "raise ImportError"}, "pip install tensorflow-cpu"),
        ("def model_fn(folder): ...", WITH_FAKE, "has neither input_handler"),
    ],
)
def test_what_tensorflow_serving_cannot_load_is_told(
    code: str, files: dict[str, str], reason: str, serve: Serve
) -> None:
    """In one line, before the first request."""
    with pytest.raises(FleetError, match=reason):
        serve(code, image=TENSORFLOW, files=files, environment=VENDOR)
