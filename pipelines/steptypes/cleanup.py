"""Cleanup: deletes S3 objects that earlier steps wrote (SDK cleanup_step.py)."""

from __future__ import annotations

from pipelines.steptypes.steptype import StepType

STEP_TYPE = StepType(
    name="Cleanup",
    request="CleanupArguments",
    describe=None,
    permissions={"s3:DeleteObject": ("cleaned",), "s3:ListBucket": ("cleaned",)},
    step_names=("Resources.S3.*.StepName",),
    own_shapes={
        "CleanupArguments": {
            "type": "structure",
            "required": ["Resources"],
            "members": {"Resources": {"shape": "CleanupResources"}},
        },
        "CleanupResources": {
            "type": "structure",
            "required": ["S3"],
            "members": {"S3": {"shape": "CleanupSources"}},
        },
        "CleanupSources": {"type": "list", "member": {"shape": "CleanupSource"}, "min": 1},
        "CleanupSource": {
            "type": "structure",
            "required": ["StepName"],
            "members": {
                "StepName": {"shape": "CleanupText"},
                "S3Uris": {"shape": "CleanupUris"},
            },
        },
        "CleanupText": {"type": "string", "min": 1},
        "CleanupUris": {"type": "list", "member": {"shape": "CleanupText"}, "min": 1},
    },
)
