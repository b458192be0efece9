"""The account → what is deployed there of a pipeline, read side by side.

Nothing is changed, and nothing is asked that the plan does not need.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import UTC, datetime

from pipelines.account.account import Account
from pipelines.account.contents import changed_files
from pipelines.account.objects import below, is_there
from pipelines.account.parallel import CallPool, open_pool
from pipelines.account.pipelines import describe, has_rule, tags_of
from pipelines.compile.model import Compiled
from pipelines.execution.caller import CallRefusedError
from pipelines.json_types import Json, JsonObject
from pipelines.plan.deployed import Deployed, DeployedState, LiveGroup, LivePipeline, Times
from pipelines.plan.deployments import batches_of
from pipelines.plan.model import Intent
from pipelines.plan.tags import is_ours
from pipelines.registry.packages import describe_group
from pipelines.spec.names import COPY_OF, deployer, standing_alone


def read(account: Account, compiled: Compiled, intent: Intent) -> Deployed:
    """Read what a plan starts from.

    Raises:
        CallRefusedError: something cannot be read; the bucket or the role is not of this account
            and region.
    """
    check_role(account, intent.role)
    with open_pool() as calls:
        bucket = calls.begin(check_bucket, account, intent.bucket)
        reading = _begin(account, calls, tuple(compiled.definitions), intent.groups)
        rule = calls.begin(_has_rule, account, intent.deploy)
        deploy = deployer(compiled.pipeline)
        leftover = {deploy: calls.begin(_is_leftover, account, deploy, compiled, intent)}
        schedules = {name: calls.begin(_times, account, name) for name in intent.schedules}
        bucket.result()
        present = _present(account, compiled, calls)
        state = reading.result()
        for name in _scheduled(compiled, state.pipelines.get(compiled.pipeline)):
            leftover[name] = calls.begin(_is_leftover, account, name, compiled, intent)
        leftovers = tuple(name for name, found in leftover.items() if found.result())
    times = {name: found.result() for name, found in schedules.items()}
    known = {name: found for name, found in times.items() if found != _UNKNOWN}
    definitions = [live.definition for live in state.pipelines.values() if live is not None]
    files = changed_files(account, compiled, definitions)
    return Deployed(state, present, files, rule.result(), known, leftovers)


def read_state(
    account: Account, pipelines: tuple[str, ...], groups: tuple[str, ...]
) -> DeployedState:
    """Read the pipelines and groups alone: what a plan changes.

    Raises:
        CallRefusedError: one cannot be read.
    """
    with open_pool() as calls:
        return _begin(account, calls, pipelines, groups).result()


class _Reading:
    def __init__(
        self,
        pipelines: dict[str, Future[LivePipeline | None]],
        groups: dict[str, Future[LiveGroup | None]],
    ) -> None:
        self._pipelines = pipelines
        self._groups = groups

    def result(self) -> DeployedState:
        return DeployedState(
            {name: future.result() for name, future in self._pipelines.items()},
            {name: future.result() for name, future in self._groups.items()},
        )


def _begin(
    account: Account, calls: CallPool, pipelines: tuple[str, ...], groups: tuple[str, ...]
) -> _Reading:
    return _Reading(
        {name: calls.begin(_pipeline, account, name) for name in pipelines},
        {name: calls.begin(_group, account, name) for name in groups},
    )


def _pipeline(account: Account, name: str) -> LivePipeline | None:
    described = describe(account, name)
    if described is None:
        return None
    arn = described["PipelineArn"]
    return LivePipeline(
        arn=arn,
        definition=described.get("PipelineDefinition", ""),
        role=described.get("RoleArn", ""),
        description=described.get("PipelineDescription", ""),
        parallelism=described.get("ParallelismConfiguration"),
        modified=_utc(described.get("LastModifiedTime", "")),
        by=_who(described),
        tags=tags_of(account, arn),
    )


def _utc(time: Json) -> str:
    """Write a time as every machine writes it, whatever its time zone."""
    return time.astimezone(UTC).isoformat() if isinstance(time, datetime) else str(time)


def _who(described: JsonObject) -> str:
    by = described.get("LastModifiedBy") or described.get("CreatedBy") or {}
    return str(by.get("UserProfileName") or by.get("IamIdentity", {}).get("Arn") or "")


def _group(account: Account, name: str) -> LiveGroup | None:
    described = describe_group(account, name)
    if described is None:
        return None
    arn = described["ModelPackageGroupArn"]
    return LiveGroup(arn, tags_of(account, arn))


def check_bucket(account: Account, bucket: str) -> None:
    """Make sure that the bucket is there, ours, and in the region.

    boto3 would follow a bucket into its region without a word; SageMaker does not.

    Raises:
        CallRefusedError: it is not.
    """
    if account.is_local:
        return
    answer = account.call("s3", "head_bucket", Bucket=bucket, **account.owned())
    region = answer.get("BucketRegion", account.region)
    if region != account.region:
        raise CallRefusedError(
            f"the bucket {bucket} is in {region}, the pipeline in {account.region}",
            "SageMaker needs both in one region: change `aws.bucket` or `aws.region`",
            code="PermanentRedirect",
            operation="head_bucket",
        )


def check_role(account: Account, role: str) -> None:
    """Make sure that the role can belong to what the credentials belong to.

    Raises:
        CallRefusedError: it is of another partition or account.
    """
    if account.is_local:
        return
    _, partition, _, _, owner, *_ = [*role.split(":"), "", "", "", "", ""]
    if partition != account.partition:
        raise CallRefusedError(
            f"the role {role} belongs to the partition {partition}, "
            f"the region {account.region} to {account.partition}",
            "change `aws.role` or `aws.region`",
            code="OtherPartition",
        )
    if owner != account.account_id():
        raise CallRefusedError(
            f"the role {role} belongs to account {owner},"
            f" the credentials to {account.account_id()}",
            "log in to the other account (AWS_PROFILE names a profile), or change `aws.role`",
            code="OtherAccount",
        )


def _present(account: Account, compiled: Compiled, calls: CallPool) -> frozenset[str]:
    """Find which of its objects are in S3: their URIs.

    A data folder is listed, since it may hold thousands of files; a code bundle is asked for.
    """
    code = {asset.uri: calls.begin(is_there, account, asset.uri) for asset in compiled.code}
    data = [calls.begin(below, account, folder.uri) for folder in compiled.data]
    listed = [uri for listing in data for uri in listing.result()]
    return frozenset([*listed, *(uri for uri, found in code.items() if found.result())])


def _has_rule(account: Account, deploy: str | None) -> bool | None:
    if account.is_local or deploy is None:
        return None
    place = f"{account.partition}:sagemaker:{account.region}:{account.account_id()}"
    return has_rule(account, f"arn:{place}:pipeline/{deploy}")


_UNKNOWN = Times("", "")


def _times(account: Account, name: str) -> Times | None:
    """Return when a schedule starts its pipeline; None where there is none of that name.

    Nothing but a warning comes of it: a network without a way to the scheduler keeps no plan back.
    """
    if account.is_local:
        return _UNKNOWN
    try:
        found = account.call("scheduler", "get_schedule", Name=name)
    except CallRefusedError as error:
        if error.is_denied or error.is_transient:
            return _UNKNOWN
        if error.code == "ResourceNotFoundException":
            return None
        raise
    given = found.get("Target", {}).get("SageMakerPipelineParameters", {})
    parameters = {one["Name"]: one["Value"] for one in given.get("PipelineParameterList", ())}
    zone = found.get("ScheduleExpressionTimezone", "UTC")
    return Times(found["ScheduleExpression"], zone, parameters, found.get("State") != "DISABLED")


def _scheduled(compiled: Compiled, main: LivePipeline | None) -> list[str]:
    """Name what schedules may start of the steps of a deployed definition; of earlier ones none."""
    steps = batches_of(main.definition) if main is not None else {}
    return [standing_alone(compiled.pipeline, step) for step in steps]


def _is_leftover(account: Account, name: str, compiled: Compiled, intent: Intent) -> bool:
    """Return whether a pipeline is there and ours that the spec has no more.

    False where that may not be asked: a policy may allow the pipelines of the spec alone.
    """
    try:
        live = None if name in compiled.definitions else _pipeline(account, name)
    except CallRefusedError as error:
        if error.is_denied:
            return False
        raise
    copy_of = intent.tags.get(COPY_OF)
    return live is not None and is_ours(live.tags, compiled.pipeline, copy_of)
