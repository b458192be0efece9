"""Advice on steps that this machine cannot run: a stub stands for them."""

from __future__ import annotations

import json
from typing import Final

from pipelines.json_types import JsonObject

USE_A_STUB: Final = "use a stub: run --stub STEP=FILE"
"""Advice of whoever does not know the step's name, which `in_step` puts into it."""


def in_step(advice: str, step: str, stub: JsonObject) -> str:
    """Return advice on a job as advice on its step, with what its stub holds."""
    named = USE_A_STUB.replace("STEP", step)
    return advice.replace(USE_A_STUB, f"{named}, where FILE holds {json.dumps(stub)}")
