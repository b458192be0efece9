"""Lineage: writes actions, artifacts, contexts and their associations (SDK lineage_step.py)."""

from __future__ import annotations

from pipelines.json_types import JsonObject
from pipelines.steptypes.steptype import StepType


def _list_of(shape: str, most: int) -> JsonObject:
    return {"type": "list", "member": {"shape": shape}, "max": most}


STEP_TYPE = StepType(
    name="Lineage",
    request="LineageArguments",
    describe="LineageProperties",
    permissions={
        "sagemaker:CreateAction": ("action/*",),
        "sagemaker:CreateArtifact": ("artifact/*",),
        "sagemaker:CreateContext": ("context/*",),
        "sagemaker:AddAssociation": ("action/*", "artifact/*", "context/*"),
        "sagemaker:AddTags": ("action/*", "artifact/*", "context/*"),
    },
    own_shapes={
        "LineageArguments": {
            "type": "structure",
            "members": {
                "Actions": {"shape": "LineageActions"},
                "Artifacts": {"shape": "LineageArtifacts"},
                "Contexts": {"shape": "LineageContexts"},
                "Associations": {"shape": "LineageAssociations"},
            },
        },
        "LineageActions": _list_of("CreateActionRequest", 5),
        "LineageArtifacts": _list_of("CreateArtifactRequest", 5),
        "LineageContexts": _list_of("CreateContextRequest", 5),
        "LineageAssociations": _list_of("LineageAssociation", 10),
        "LineageAssociation": {
            "type": "structure",
            "required": ["Source", "Destination"],
            "members": {
                "Source": {"shape": "LineageEntity"},
                "Destination": {"shape": "LineageEntity"},
                "AssociationType": {"shape": "AssociationEdgeType"},
            },
        },
        "LineageEntity": {
            "type": "structure",
            "members": {
                "Name": {"shape": "LineageText"},
                "Type": {"shape": "LineageEntityType"},
                "Arn": {"shape": "LineageText"},
            },
        },
        "LineageText": {"type": "string"},
        "LineageEntityType": {"type": "string", "enum": ["Action", "Artifact", "Context"]},
        "LineageProperties": {
            "type": "structure",
            "members": {
                "ActionArns": {"shape": "LineageArns"},
                "ArtifactArns": {"shape": "LineageArns"},
                "ContextArns": {"shape": "LineageArns"},
                "Associations": {"shape": "LineageOutcome"},
            },
        },
        "LineageArns": {
            "type": "map",
            "key": {"shape": "LineageText"},
            "value": {"shape": "LineageText"},
        },
        "LineageOutcome": {"type": "any"},
    },
    one_of=(
        ("Associations.*.Source", ("Name", "Arn")),
        ("Associations.*.Destination", ("Name", "Arn")),
    ),
)
