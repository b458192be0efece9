"""The serving code, called as the model server calls it, without a server."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from serving.inference import transform_fn

JSON = "application/json"


class Session:
    """Stands in for the ONNX session: the chance grows with the mass."""

    def run(self, _outputs: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Return the output `probability`."""
        return [inputs["body_mass_g"].reshape(-1) / 10_000]


MODEL: Any = {
    "session": Session(),
    "features": [
        {"name": "species", "type": "string"},
        {"name": "body_mass_g", "type": "number"},
    ],
    "target": "male",
    "threshold": 0.5,
}


def ask(body: object, content_type: str = JSON) -> tuple[int, Any]:
    """Return the status and the answer."""
    data = body if isinstance(body, str) else json.dumps(body)
    text, status, _ = transform_fn(MODEL, data, content_type, JSON)
    return status, json.loads(text)


def test_each_row_gets_a_prediction() -> None:
    """One prediction a row, in the order of the rows."""
    rows = [{"species": "Gentoo", "body_mass_g": mass} for mass in (3000, 6000)]
    status, answer = ask({"instances": rows})
    assert status == 200
    assert [one["male"] for one in answer["predictions"]] == [False, True]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "not JSON"),
        ({"rows": []}, "instances"),
        ({"instances": []}, "at least one"),
        ({"instances": [{"species": "Gentoo"}]}, "row 1: `body_mass_g`"),
        ({"instances": [{"species": 3, "body_mass_g": 1}]}, "`species` must be a string"),
        ({"instances": [{"species": "\ud800", "body_mass_g": 1}]}, "`species` must be a string"),
        ({"instances": [{"species": "x", "body_mass_g": math.nan}]}, "must be a number"),
        ({"instances": [{"species": "x", "body_mass_g": 10**400}]}, "must be a number"),
    ],
)
def test_a_bad_request_gets_400_and_a_reason(body: object, reason: str) -> None:
    """Never a traceback, and the reason says what to change."""
    status, answer = ask(body)
    assert status == 400
    assert reason in answer["error"]


def test_another_content_type_gets_415() -> None:
    """Only JSON is read here."""
    assert ask("a,b", "text/csv")[0] == 415
