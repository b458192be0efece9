"""Transform: a CreateTransformJob request."""

from __future__ import annotations

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.clusters import count_limit, volume_rule
from pipelines.steptypes.limits import GUIDE, Rule, ValueLimit, Violations, number
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
_GUIDE_PAGE = f'{GUIDE}"Associate Prediction Results with Input Records"'


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


_RECORDS = ("text/csv", "application/json", "application/jsonlines")
_LINES = ("text/csv", "application/jsonlines")


_ASSOCIATING = (("InputFilter", "$"), ("OutputFilter", "$"), ("JoinSource", "None"))
"""Members of `DataProcessing`, each with the value that asks for nothing."""


def _associating(job: JsonObject) -> str | None:
    """Return the first member that filters or joins; None where none does."""
    data = _below(job, "DataProcessing")
    asked = (name for name, nothing in _ASSOCIATING if data.get(name, nothing) != nothing)
    return next(asked, None)


def _media_type(job: JsonObject) -> Json:
    """Return the content type without its parameters; None where none is given."""
    given = _below(job, "TransformInput").get("ContentType")
    return given.partition(";")[0].strip().lower() if isinstance(given, str) else given


def _below(job: JsonObject, member: str) -> JsonObject:
    value = job.get(member)
    return value if isinstance(value, dict) else {}


def _readable(job: JsonObject) -> Violations:
    """Records that are filtered or joined are CSV or JSON."""
    member, kind = _associating(job), _media_type(job)
    if member is None or not isinstance(kind, str | None) or kind in _RECORDS:
        return
    if kind is None:
        yield ("DataProcessing", member), f"`{member}` needs a content type, and none is given"
    else:
        at = ("TransformInput", "ContentType")
        yield at, f"records of `{kind}` can neither be filtered nor joined"


def _lines_stay_lines(job: JsonObject) -> Violations:
    """What is joined line by line is split and assembled by line."""
    if _below(job, "DataProcessing").get("JoinSource") != "Input":
        return
    split = _below(job, "TransformInput").get("SplitType", "None")
    assembled = _below(job, "TransformOutput").get("AssembleWith", "None")
    kind = _media_type(job)
    of_lines = (isinstance(kind, str) and kind in _LINES) or "Line" in (split, assembled)
    problems = {"is not split": split, "is not assembled": assembled}
    found = [problem for problem, value in problems.items() if value == "None"]
    if of_lines and found:
        both = " and ".join(found)
        yield ("DataProcessing", "JoinSource"), f"lines are joined, but the data {both} by line"


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
            help="keep their product within 100 MB",
            source="CreateTransformJob API",
        ),
        Rule(
            at=("",),
            violations=_readable,
            help=f"the content type must be one of {', '.join(_RECORDS)}",
            source=_GUIDE_PAGE,
        ),
        Rule(
            at=("",),
            violations=_lines_stay_lines,
            help="split and assemble by line",
            source=_GUIDE_PAGE,
        ),
    ),
    listed_as="TransformJob",
    resource=Resource(
        noun="transform-job",
        name="TransformJobName",
        arn="TransformJobArn",
        log_group="/aws/sagemaker/TransformJobs",
    ),
    runs_model="ModelName",
    clusters=(Cluster(usage="transform job", at="TransformResources"),),
    inputs=(DataPlace(at="TransformInput", name="input", uri="DataSource.S3DataSource.S3Uri"),),
    outputs=(DataPlace(at="TransformOutput", name="predictions", uri="S3OutputPath"),),
)
