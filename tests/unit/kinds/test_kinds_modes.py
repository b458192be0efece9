"""What a mode's block becomes, told again by the keys of the block."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.kinds import modes
from pipelines.kinds.modes import batch

ROLLOUT = {
    "type": "canary",
    "percent": 20,
    "wait_interval_in_seconds": 60,
    "termination_wait_in_seconds": 30,
    "maximum_execution_timeout_in_seconds": 900,
    "alarms": ["errors"],
}
INSTANCES = {
    "instance_type": "ml.m5.large",
    "initial_instance_count": 2,
    "volume_size_in_gb": 30,
    "model_data_download_timeout_in_seconds": 600,
    "container_startup_health_check_timeout_in_seconds": 700,
    "inference_ami_version": "al2-ami-sagemaker-inference-gpu-2",
}
PAUSES = {"scale_in_cooldown_in_seconds": 60, "scale_out_cooldown_in_seconds": 30}
BLOCKS: list[tuple[str, dict[str, Any]]] = [
    (
        "realtime",
        {
            **INSTANCES,
            "rollout": ROLLOUT,
            "autoscaling": {"min": 1, "max": 4, "invocations_per_instance": 500.0, **PAUSES},
            "data_capture": {
                "percent": 10,
                "what": "input",
                "output": "s3://b/c",
                "kms_key": "alias/x",
            },
            "shadow": "pending",
        },
    ),
    (
        "realtime",
        {
            "instance_type": ["ml.m7i.large", "ml.m6i.large"],
            "initial_instance_count": 1,
            "rollout": {"type": "rolling", "percent": 25, "wait_interval_in_seconds": 0},
            "autoscaling": {"min": 2, "max": 3, "concurrent_requests_per_instance": 5.0},
        },
    ),
    (
        "asynchronous",
        {
            **INSTANCES,
            "rollout": {"type": "linear", "percent": 10, "wait_interval_in_seconds": 300},
            "autoscaling": {"min": 0, "max": 3, "backlog_per_instance": 5.0, **PAUSES},
            "output": "s3://b/answers",
            "failure_output": "s3://b/errors",
            "notify": {
                "success": "arn:aws:sns:us-east-1:111122223333:answered",
                "error": "arn:aws:sns:us-east-1:111122223333:failed",
                "include_response_in": ["SUCCESS_NOTIFICATION_TOPIC"],
            },
            "max_concurrent_invocations_per_instance": 4,
            "kms_key": "alias/answers",
        },
    ),
    (
        "serverless",
        {
            "memory_size_in_mb": 4096,
            "max_concurrency": 10,
            "provisioned_concurrency": 2,
            "autoscaling": {"min": 1, "max": 5, "utilization": 0.5, **PAUSES},
        },
    ),
]


def _filled(name: str, block: dict[str, Any]) -> dict[str, Any]:
    """Return the keys that are left out of a block in which every key is to be given."""
    fields = modes.find(name).model.model_fields
    return {key: None for key in fields if key not in block}


@pytest.mark.parametrize(("name", "given"), BLOCKS, ids=[f"{n}-{len(b)}" for n, b in BLOCKS])
def test_the_keys_of_a_block_are_told_again(name: str, given: dict[str, Any]) -> None:
    """So a plan shows them in the spec's words, and no key of a block is forgotten."""
    mode = modes.find(name)
    settings = mode.settings(mode.model.model_validate(given))
    config = {
        "variant": settings.variant,
        "deployment": settings.deployment,
        "config": settings.config,
        "scaling": settings.scaling,
        "shadow": settings.shadow,
    }
    assert mode.keys(config) == given


@pytest.mark.parametrize("name", ["realtime", "asynchronous", "serverless"])
def test_a_block_with_every_key_is_among_those_that_are_told(name: str) -> None:
    """A key that is new has to stand in the cases above."""
    assert min(len(_filled(one, block)) for one, block in BLOCKS if one == name) == 0


def test_the_keys_of_a_batch_are_told_again() -> None:
    """What is a reference there is said to be one; input and output stand in the environment."""
    given = {
        "input": {"from": "s3://b/in/", "data_type": "S3Prefix", "compression_type": "Gzip"},
        "output": "s3://b/out",
        "content_type": "text/csv",
        "accept": "text/csv",
        "split": "line",
        "strategy": "multi",
        "assemble": "line",
        "join": "input",
        "input_filter": "$[1:]",
        "output_filter": "$[0,-1]",
        "max_payload_in_mb": 6,
        "max_concurrent_transforms": 2,
        "invocations_timeout_in_seconds": 60,
        "invocations_max_retries": 1,
        "instance_type": "ml.m5.large",
        "instance_count": 2,
    }
    block = batch.Batch.model_validate(given)
    assert not _filled("batch", given)
    told = batch.MODE.keys({"batch": block.program_request()})
    assert told == {
        **{key: value for key, value in given.items() if key != "output"},
        "input": {"from": None, "data_type": "S3Prefix", "compression_type": "Gzip"},
    }
