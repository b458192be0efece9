"""What Lambda and Callback share: free inputs and declared output parameters (at most 50)."""

from __future__ import annotations

from typing import Final

from pipelines.json_types import JsonObject
from pipelines.steptypes.steptype import StepKey

OUTPUT_PARAMETERS: Final = StepKey("OutputParameters", "OutputParameterList", named_by="OutputName")

OUTPUT_SHAPES: Final[dict[str, JsonObject]] = {
    "StepInputs": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "StepInput"}},
    "StepInput": {"type": "any"},
    "OutputParameterList": {"type": "list", "member": {"shape": "OutputDeclaration"}, "max": 50},
    "OutputDeclaration": {
        "type": "structure",
        "required": ["OutputName", "OutputType"],
        "members": {"OutputName": {"shape": "Text"}, "OutputType": {"shape": "OutputType"}},
    },
    "OutputType": {"type": "string", "enum": ["String", "Integer", "Boolean", "Float"]},
    "Text": {"type": "string", "min": 1},
    "OutputProperties": {
        "type": "structure",
        "members": {"OutputParameters": {"shape": "OutputValues"}},
    },
    "OutputValues": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "StepInput"}},
}
