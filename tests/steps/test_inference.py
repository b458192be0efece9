"""The example's serving code, called as the server calls it, with a tiny model of the same form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from serving.inference import Model, model_fn, transform_fn
from steps.features import NUMBERS, STRINGS

JSON, CSV = "application/json", "text/csv"


def write_model(folder: Path) -> None:
    """Write a model whose chance is 0.25 for UA, 0.5 for others, and 0.25 more without distance."""
    code = helper.make_node(
        "LabelEncoder",
        ["carrier"],
        ["code"],
        domain="ai.onnx.ml",
        keys_strings=["UA"],
        values_floats=[0.25],
        default_float=0.5,
    )
    nodes = [
        code,
        helper.make_node("IsNaN", ["distance"], ["missing"]),
        helper.make_node("Where", ["missing", "quarter", "zero"], ["more"]),
        helper.make_node("Add", ["code", "more"], ["sum"]),
        helper.make_node("Reshape", ["sum", "flat"], ["probability"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([0.25], np.float32), "quarter"),
        numpy_helper.from_array(np.array([0], np.float32), "zero"),
        numpy_helper.from_array(np.array([-1], np.int64), "flat"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info("carrier", TensorProto.STRING, ["N", 1]),
            helper.make_tensor_value_info("distance", TensorProto.FLOAT, ["N", 1]),
        ],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N"])],
        constants,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    built = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(built, full_check=True)
    onnx.save(built, folder / "model.onnx")
    features = [{"name": "carrier", "type": "string"}, {"name": "distance", "type": "number"}]
    described = {"features": features, "target": "late", "threshold": 0.5}
    (folder / "metadata.json").write_text(json.dumps(described))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """Load the tiny model."""
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return model_fn(str(folder))


def ask(
    model: Model, body: str | bytes, content_type: str = JSON, accept: str = JSON
) -> tuple[str, int]:
    """Send a request and return body and status; there is no toolkit here, so a tuple comes."""
    text, status, _ = transform_fn(model, body, content_type, accept)
    return text, status


def probabilities(answer: tuple[str, int]) -> list[float]:
    """Return the chances of a JSON answer that must be good."""
    text, status = answer
    assert status == 200, text
    return [one["probability"] for one in json.loads(text)["predictions"]]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"carrier": "UA", "distance": 719}]},
        [{"carrier": "UA", "distance": 719.5}],
        {"carrier": "UA", "distance": "719", "unknown": True},
    ],
)
def test_json_may_be_instances_a_list_or_one_object(model: Model, body: Any) -> None:
    """Members that are no features are ignored."""
    assert probabilities(ask(model, json.dumps(body))) == [0.25]


def test_the_answer_says_probability_and_decision_under_the_targets_name(model: Model) -> None:
    """`late` is true from the threshold on."""
    rows = [{"carrier": "UA", "distance": 1}, {"carrier": "B6", "distance": 1}]
    assert json.loads(ask(model, json.dumps(rows))[0]) == {
        "predictions": [
            {"probability": 0.25, "late": False},
            {"probability": 0.5, "late": True},
        ]
    }


def test_null_is_a_missing_value(model: Model) -> None:
    """A missing number is NaN to the model, a missing text is empty."""
    rows = [{"carrier": "UA", "distance": None}, {"carrier": None, "distance": 3}]
    assert probabilities(ask(model, json.dumps(rows))) == [0.5, 0.5]


@pytest.mark.parametrize(
    "body",
    [
        "carrier,distance\nUA,719\nB6,\n",
        "distance,carrier,day\n719,UA,3\n,B6,4\n",
        "UA,719\nB6,\n",
        b'\xef\xbb\xbf"UA",719\r\n\r\n"B6",\r\n',
    ],
)
def test_csv_has_a_header_or_the_order_of_the_features(model: Model, body: str | bytes) -> None:
    """Further columns are ignored under a header; an empty number is missing."""
    assert probabilities(ask(model, body, "text/csv; charset=utf-8")) == [0.25, 0.75]


def test_accept_chooses_csv(model: Model) -> None:
    """One probability a line, as batch transform wants it."""
    assert ask(model, "UA,1\nB6,1\n", CSV, CSV) == ("0.25\n0.5\n", 200)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        ("{", JSON, 400, "the request is not JSON"),
        ("[" * 100_000, JSON, 400, "the request is not JSON"),
        ("3", JSON, 400, 'send {"instances": [{…}]}, a list of objects, or one object'),
        ('{"instances": {}}', JSON, 400, "a list of objects"),
        ("[3]", JSON, 400, "a list of objects"),
        ("[]", JSON, 400, "the request holds no rows"),
        ('{"carrier": "UA"}', JSON, 400, "row 1 has no `distance`"),
        ('{"carrier": 3, "distance": 1}', JSON, 400, "`carrier` is a string, not 3"),
        ('{"carrier": "UA", "distance": "far"}', JSON, 400, '`distance` is a number, not "far"'),
        ('{"carrier": "UA", "distance": true}', JSON, 400, "`distance` is a number, not true"),
        ('{"carrier": "UA", "distance": [1]}', JSON, 400, "`distance` is a number, not [1]"),
        ('{"carrier": "UA", "distance": 1e39}', JSON, 400, "`distance` is a number, not 1e+39"),
        ('{"carrier": "UA", "distance": Infinity}', JSON, 400, "`distance` is a number"),
        (f'{{"carrier": "UA", "distance": {"9" * 400}}}', JSON, 400, "`distance` is a number"),
        (
            '{"carrier": "\\ud800", "distance": 1}',
            JSON,
            400,
            '`carrier` is a string, not "\\ud800"',
        ),
        ("distance,carrier,distance\n1,UA,2\n", CSV, 400, "the header has `distance` twice"),
        (b"\xff", CSV, 400, "the request is not UTF-8"),
        ("", CSV, 400, "the request holds no rows"),
        ("UA\n", CSV, 400, "row 1 has 1 values, not 2 (carrier, distance)"),
        ("carrier\nUA\n", CSV, 400, "row 1 has no `distance`"),
        ('"UA', CSV, 400, "the request is not CSV"),
        ("UA,1\n" * 100_001, CSV, 400, "100001 rows, more than 100000"),
        ("UA,1\n", "image/png", 415, "content type `image/png` is not known"),
        ("UA,1\n", "", 415, "content type `` is not known"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_request_gets_a_4xx_with_its_reason(
    model: Model, body: str | bytes, content_type: str, status: int, reason: str
) -> None:
    """Never a traceback, never a 500."""
    text, got = ask(model, body, content_type)
    assert got == status
    assert reason in json.loads(text)["error"]


def test_an_answer_in_an_unknown_type_is_refused(model: Model) -> None:
    """406 is HTTP's word for it."""
    text, status = ask(model, '{"carrier": "UA", "distance": 1}', JSON, "image/png")
    assert status == 406
    assert "cannot answer in `image/png`" in json.loads(text)["error"]


def test_the_sample_request_names_the_features_of_the_example() -> None:
    """steps/features.py says which features there are, and which are text."""
    path = Path(__file__).parents[2] / "serving" / "sample_request.json"
    for row in json.loads(path.read_text())["instances"]:
        assert tuple(row) == (*STRINGS, *NUMBERS)
        assert all(isinstance(row[name], str | None) for name in STRINGS)
