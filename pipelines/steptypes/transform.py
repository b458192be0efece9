"""Transform: a CreateTransformJob request."""

from __future__ import annotations

from pipelines.json_types import JsonObject
from pipelines.steptypes.clusters import count_limit, volume_rule
from pipelines.steptypes.limits import Rule, ValueLimit, Violations, number
from pipelines.steptypes.steptype import (
    JOB_FAULTS,
    Cache,
    Cluster,
    DataPlace,
    Resource,
    StepType,
    on,
)

_PAYLOAD_MB = 100


def _payload_fits(job: JsonObject) -> Violations:
    """Payload times concurrent transforms stays within 100 MB."""
    payload, together = (
        number(job.get("MaxPayloadInMB")),
        number(job.get("MaxConcurrentTransforms")),
    )
    if payload is not None and together is not None and payload * together > _PAYLOAD_MB:
        yield (
            ("MaxPayloadInMB",),
            f"payload times concurrent transforms is {payload} x {together} MB",
        )


STEP_TYPE = StepType(
    name="Transform",
    request="CreateTransformJobRequest",
    describe="DescribeTransformJobResponse",
    aliases=("BatchTransform",),
    supplied=("TransformJobName",),
    cache=Cache(key=("DataProcessing", "Environment", "ModelName", "TransformInput")),
    retry_types=JOB_FAULTS,
    permissions=on(
        "transform-job", "CreateTransformJob", "DescribeTransformJob", "StopTransformJob", "AddTags"
    ),
    strings=("Environment",),
    limits=(
        count_limit("TransformResources.InstanceCount"),
        ValueLimit(
            at=("MaxPayloadInMB",),
            most=_PAYLOAD_MB,
            what="a payload has at most 100 MB",
            source="CreateTransformJob API",
        ),
    ),
    rules=(
        volume_rule("TransformResources"),
        Rule(
            at=("",),
            violations=_payload_fits,
            help="keep `MaxPayloadInMB` times `MaxConcurrentTransforms` within 100",
            source="CreateTransformJob API",
        ),
    ),
    listed_as="TransformJob",
    resource=Resource(
        noun="transform-job",
        name="TransformJobName",
        arn="TransformJobArn",
        log_group="/aws/sagemaker/TransformJobs",
    ),
    clusters=(Cluster(usage="transform job", at="TransformResources"),),
    inputs=(DataPlace(at="TransformInput", name="input", uri="DataSource.S3DataSource.S3Uri"),),
    outputs=(DataPlace(at="TransformOutput", name="output", uri="S3OutputPath"),),
)
