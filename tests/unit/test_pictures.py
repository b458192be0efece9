"""Pictures of the guides that are drawn from code are those that the code draws."""

from __future__ import annotations

import json
from pathlib import Path

from tools import picture_endpoint

ROOT = Path(__file__).parents[2]


def test_the_states_of_an_endpoint_are_the_services_and_the_picture_is_current() -> None:
    """No state that the service does not have; a change of the tool changes the file."""
    shapes = json.loads((ROOT / "pipelines/steptypes/shapes/Endpoint.json").read_text())
    known = shapes["shapes"]["EndpointStatus"]["enum"]
    named = {state.name for state in picture_endpoint.STATES} - {"no endpoint"}
    assert named <= set(known)
    assert picture_endpoint.PICTURE.read_text(encoding="utf-8") == picture_endpoint.drawn()
