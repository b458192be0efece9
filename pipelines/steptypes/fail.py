"""Fail: ends the execution with a message; nothing may refer to it or wait for it."""

from __future__ import annotations

from pipelines.steptypes.steptype import StepType

STEP_TYPE = StepType(
    name="Fail",
    request="FailArguments",
    describe=None,
    terminal=True,
    in_body=False,
    symbol="terminator",
    own_shapes={
        "FailArguments": {
            "type": "structure",
            "required": ["ErrorMessage"],
            "members": {"ErrorMessage": {"shape": "ErrorMessage"}},
        },
        "ErrorMessage": {"type": "string"},
    },
)
