"""The model registry: versions of groups, and the numbers that are known of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

from pipelines.definition.named import groups_of
from pipelines.errors import UsageError
from pipelines.execution.caller import Caller, CallRefusedError, see, split
from pipelines.json_types import JsonObject

_METRICS = 6
_LATEST = "latest"

PENDING = "PendingManualApproval"


def groups(caller: Caller, pipelines: Iterable[str]) -> list[str]:
    """Name the model package groups: every one here, in an account those of these pipelines."""
    if caller.is_local:
        operation, member = "list_model_package_groups", "ModelPackageGroupSummaryList"
        return [g["ModelPackageGroupName"] for g in caller.pages("sagemaker", operation, member)]
    found: dict[str, None] = {}
    for name in pipelines:
        try:
            described = caller.call("sagemaker", "describe_pipeline", PipelineName=name)
        except CallRefusedError as error:
            if not error.is_missing:
                raise
        else:
            found.update(dict.fromkeys(groups_of(described["PipelineDefinition"])))
    return list(found)


def describe_group(caller: Caller, name: str) -> JsonObject | None:
    """Describe a model package group; None when there is none of that name."""
    try:
        return caller.call("sagemaker", "describe_model_package_group", ModelPackageGroupName=name)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def versions(caller: Caller, group: str, most: int) -> list[JsonObject]:
    """Describe the latest versions of a group, the newest first.

    Raises:
        UsageError: there is no such group.
    """
    return list(islice(each_version(caller, group), most))


def each_version(caller: Caller, group: str) -> Iterator[JsonObject]:
    """Describe the versions of a group one after the other, the newest first.

    Raises:
        UsageError: there is no such group.
    """
    return (_described(caller, summary) for summary in _summaries(caller, group))


def has_versions(caller: Caller, group: str) -> bool:
    """Return whether a group is there and holds any version."""
    known = describe_group(caller, group) is not None
    return known and next(iter(_summaries(caller, group)), None) is not None


def version(caller: Caller, name: str) -> JsonObject:
    """Describe a version that is given as `group/number`, `group/latest`, or by its ARN.

    Raises:
        UsageError: there is none.
    """
    if name.startswith("arn:"):
        described = caller.call("sagemaker", "describe_model_package", ModelPackageName=name)
        if "ModelPackageVersion" not in described:
            raise UsageError(
                f"{name} is a package by itself, not a version of a group",
                "register it in a model package group, and name it GROUP/NUMBER",
            )
        return described
    group, _, number = name.rpartition("/")
    if not group or not (number.isdigit() or number == _LATEST):
        raise UsageError(
            f"`{name}` is not a model version", "write GROUP/NUMBER or GROUP/latest: flights/3"
        )
    found = _latest(caller, group) if number == _LATEST else _numbered(caller, group, number)
    if found is None:
        raise UsageError(
            f"the group {group} has no version {number}", see(caller, f"models {group}")
        )
    return found


def named(package: JsonObject) -> str:
    """Return `group/number` of a version."""
    return f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}"


def approval(package: JsonObject) -> str:
    """Return the approval status of a version; one that was never set is pending."""
    return str(package.get("ModelApprovalStatus") or PENDING)


def model_data(container: JsonObject) -> str:
    """Return the URI of a container's model, an archive or a prefix; empty where it has none."""
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return str(container.get("ModelDataUrl") or source.get("S3Uri") or "")


def set_approval(caller: Caller, package: JsonObject, status: str, reason: str | None) -> None:
    """Set the approval status of a version: `Approved` or `Rejected`, and why."""
    why = {"ApprovalDescription": reason} if reason else {}
    caller.call(
        "sagemaker",
        "update_model_package",
        ModelPackageArn=package["ModelPackageArn"],
        ModelApprovalStatus=status,
        **why,
    )


def metrics(caller: Caller, package: JsonObject) -> dict[str, float]:
    """Read the first fractions of a version's quality report; none where it has none."""
    return dict(list(quality(caller, package).items())[:_METRICS])


def quality(caller: Caller, package: JsonObject) -> dict[str, float]:
    """Read all fractions on the top level of a version's quality report."""
    quality = (package.get("ModelMetrics") or {}).get("ModelQuality", {}).get("Statistics", {})
    if "S3Uri" not in quality:
        return {}
    try:
        report = json.loads(caller.download(*split(str(quality["S3Uri"]))))
    except CallRefusedError as error:
        if error.is_missing or error.is_denied:
            return {}
        raise
    except (ValueError, RecursionError):
        return {}
    if not isinstance(report, dict):
        return {}
    return {key: value for key, value in report.items() if isinstance(value, float)}


def _latest(caller: Caller, group: str) -> JsonObject | None:
    summary = next(iter(_summaries(caller, group)), None)
    return None if summary is None else _described(caller, summary)


def _numbered(caller: Caller, group: str, number: str) -> JsonObject | None:
    """Describe a version by its ARN, which follows from its group's: no list is read for it."""
    arn = str(_group(caller, group)["ModelPackageGroupArn"])
    of_versions = arn.replace(":model-package-group/", ":model-package/")
    try:
        return _described(caller, {"ModelPackageArn": f"{of_versions}/{number}"})
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def _group(caller: Caller, name: str) -> JsonObject:
    described = describe_group(caller, name)
    if described is None:
        raise UsageError(f"there is no model package group `{name}`", see(caller, "models"))
    return described


def _summaries(caller: Caller, group: str) -> Iterator[JsonObject]:
    _group(caller, group)
    return caller.pages(
        "sagemaker",
        "list_model_packages",
        "ModelPackageSummaryList",
        ModelPackageGroupName=group,
        SortBy="CreationTime",
        SortOrder="Descending",
    )


def _described(caller: Caller, summary: JsonObject) -> JsonObject:
    arn = summary["ModelPackageArn"]
    return caller.call("sagemaker", "describe_model_package", ModelPackageName=arn)
