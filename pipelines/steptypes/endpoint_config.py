"""EndpointConfig: a CreateEndpointConfig request."""

from __future__ import annotations

from pipelines.json_types import JsonObject
from pipelines.steptypes.clusters import volume_rule
from pipelines.steptypes.limits import (
    GENERAL_REFERENCE,
    GUIDE,
    Rule,
    ValueLimit,
    Violations,
    number,
    objects,
)
from pipelines.steptypes.steptype import JOB_FAULTS, Cache, Cluster, Resource, StepType, on

_SERVERLESS = "ProductionVariants.*.ServerlessConfig"
_NOT_SERVERLESS = (
    "AsyncInferenceConfig",
    "DataCaptureConfig",
    "ShadowProductionVariants",
    "VpcConfig",
)


def _memory_is_whole(serverless: JsonObject) -> Violations:
    """Serverless memory comes in steps of 1024 MB."""
    memory = number(serverless.get("MemorySizeInMB"))
    if memory is not None and memory % 1024:
        yield ("MemorySizeInMB",), f"`MemorySizeInMB` is {memory}, not a multiple of 1024"


def _provisioned_fits(serverless: JsonObject) -> Violations:
    """Provisioned concurrency stays within the greatest concurrency."""
    most = number(serverless.get("MaxConcurrency"))
    kept = number(serverless.get("ProvisionedConcurrency"))
    if most is not None and kept is not None and kept > most:
        yield (
            ("ProvisionedConcurrency",),
            f"`ProvisionedConcurrency` is {kept}, more than `MaxConcurrency` {most}",
        )


def _serverless_is_alone(config: JsonObject) -> Violations:
    """A serverless variant stands alone, and without what only instances have."""
    variants = objects(config.get("ProductionVariants"))
    if not any(variant.get("ServerlessConfig") for _, variant in variants):
        return
    for name in _NOT_SERVERLESS:
        if config.get(name):
            yield (name,), f"a serverless variant cannot stand with `{name}`"
    if len(variants) > 1:
        yield ("ProductionVariants",), "a serverless endpoint has exactly one variant"


STEP_TYPE = StepType(
    name="EndpointConfig",
    request="CreateEndpointConfigInput",
    describe="DescribeEndpointConfigOutput",
    aliases=("CreateEndpointConfig",),
    supplied=("EndpointConfigName",),
    refused=("DataCaptureConfig", "ExplainerConfig"),  # SDK v2 workflow/endpoint_step.py
    cache=Cache(),
    retry_types=JOB_FAULTS,
    permissions={
        **on("endpoint-config", "CreateEndpointConfig", "DescribeEndpointConfig", "AddTags"),
        "sagemaker:DescribeModel": ("model/*",),
        "iam:PassRole": ("role",),
    },
    limits=(
        ValueLimit(
            at=(f"{_SERVERLESS}.MaxConcurrency",),
            most=10,
            what="an account starts with 10 concurrent serverless invocations",
            source=GENERAL_REFERENCE,
            quota=True,
        ),
        ValueLimit(
            at=("ProductionVariants.*.InitialInstanceCount",),
            most=4,
            what="an account starts with 4 endpoint instances",
            source=GENERAL_REFERENCE,
            quota=True,
        ),
    ),
    rules=(
        volume_rule("", member="KmsKeyId"),
        Rule(
            at=(_SERVERLESS,),
            violations=_memory_is_whole,
            help="write 1024, 2048, 3072, 4096, 5120 or 6144",
            source=f"{GUIDE}serverless endpoints",
        ),
        Rule(
            at=(_SERVERLESS,),
            violations=_provisioned_fits,
            help="keep it within `MaxConcurrency`",
            source=f"{GUIDE}serverless endpoints",
        ),
        Rule(
            at=("",),
            violations=_serverless_is_alone,
            help="remove it, or use instances",
            source=f"{GUIDE}serverless endpoints",
        ),
    ),
    resource=Resource(noun="endpoint-config", name="EndpointConfigName", arn="EndpointConfigArn"),
    clusters=(
        Cluster(
            usage="endpoint",
            job="ProductionVariants.*",
            at="",
            count="InitialInstanceCount",
            volume="VolumeSizeInGB",
        ),
    ),
)
