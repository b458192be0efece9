"""`models`: the versions in the model registry, their metrics side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectUriError
from pipelines.backends.local.service import LocalSageMaker
from pipelines.cli.local import open_sagemaker, pages
from pipelines.cli.options import file_option, format_option, local_option, require_local
from pipelines.cli.tables import columns
from pipelines.json_types import JsonObject

_METRICS = 6


@click.command("models")
@file_option
@local_option
@format_option("text", "json")
@click.argument("group", required=False)
def COMMAND(file: Path, local: bool, output_format: str, group: str | None) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Show the registered versions (of one group, or of all), approval and metrics."""
    require_local(local, "models")
    with open_sagemaker(file) as sagemaker:
        packages = [
            sagemaker.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
            for name in _groups(sagemaker, group)
            for summary in pages(
                sagemaker.list_model_packages,
                "ModelPackageSummaryList",
                ModelPackageGroupName=name,
                SortOrder="Descending",
            )
        ]
        metrics = [_metrics(sagemaker, package) for package in packages]
    if output_format == "json":
        click.echo(json.dumps(packages, indent=2, default=str))
    elif not packages:
        click.echo("no models yet: a registration step adds one")
    else:
        click.echo(_table(packages, metrics))


def _groups(sagemaker: LocalSageMaker, group: str | None) -> list[str]:
    if group is not None:
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        return [group]
    groups = pages(sagemaker.list_model_package_groups, "ModelPackageGroupSummaryList")
    return [g["ModelPackageGroupName"] for g in groups]


def _metrics(sagemaker: LocalSageMaker, package: JsonObject) -> dict[str, float]:
    """Read the numbers on the top level of the package's quality report."""
    quality = package.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    if "S3Uri" not in quality:
        return {}
    try:
        report = json.loads(sagemaker.objects.get_bytes(quality["S3Uri"]))
    except (NoSuchObjectError, ObjectUriError, ServiceError, ValueError):
        return {}
    if not isinstance(report, dict):
        return {}
    numbers = {k: v for k, v in report.items() if isinstance(v, float)}
    return dict(list(numbers.items())[:_METRICS])


def _table(packages: list[JsonObject], metrics: list[dict[str, float]]) -> str:
    names = list(dict.fromkeys(name for values in metrics for name in values))
    rows = [
        (
            f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}",
            package["ModelApprovalStatus"],
            package["CreationTime"].astimezone().strftime("%Y-%m-%d %H:%M"),
            *(f"{values[name]:.4f}" if name in values else "" for name in names),
        )
        for package, values in zip(packages, metrics, strict=True)
    ]
    return columns(("version", "approval", "registered", *names), rows)
