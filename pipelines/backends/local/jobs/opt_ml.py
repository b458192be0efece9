"""/opt/ml: paths in it, its config files (FACTS 3.4), and path rewriting.

A job without namespaces has another folder as its /opt/ml, and every text that names /opt/ml is
rewritten to that folder.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.spec import JobHost, JobRefusedError, LocalJob

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.json_types import Json, JsonObject

ROOT = PurePosixPath("/opt/ml")
NAMED = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")  # not in s3://bucket/opt/ml, not /opt/ml2
NETWORK_INTERFACE = "lo" if sys.platform == "linux" else "lo0"


def host_path(host: JobHost, path: str) -> Path:
    """Return the file on this machine for a job's path such as /opt/ml/processing/input/x.

    Raises:
        JobRefusedError: the path is not below /opt/ml.
    """
    inside = PurePosixPath(path)
    if ".." in inside.parts or not inside.is_relative_to(ROOT):
        raise JobRefusedError(
            f"the path {path} lies outside /opt/ml",
            "choose a path below /opt/ml: local jobs support no other",
        )
    return host.ml / inside.relative_to(ROOT)


def rewrite(job: LocalJob, host: JobHost, value: Json) -> Json:
    """Replace /opt/ml in every string of a JSON value by the folder that stands for it."""
    if job.isolation == "namespaces":
        return value
    return _replace(value, str(host.ml))


def _replace(value: Json, folder: str) -> Json:
    match value:
        case str():
            return NAMED.sub(lambda _: folder, value)
        case list():
            return [_replace(one, folder) for one in value]
        case dict():
            return {key: _replace(one, folder) for key, one in value.items()}
        case _:
            return value


def write_training(job: LocalJob, host: JobHost, request: JsonObject) -> None:
    """Create a training host's folders and its three config files."""
    for folder in ("input/config", "input/data", "model", "output/data", "output/intermediate"):
        (host.ml / folder).mkdir(parents=True, exist_ok=True)
    config = host.ml / "input" / "config"
    parameters: dict[str, str] = request.get("HyperParameters") or {}
    _write(config / "hyperparameters.json", rewrite(job, host, parameters))
    _write(config / "inputdataconfig.json", _channels(request))
    _write(config / "resourceconfig.json", training_resources(job, host))


def write_processing(job: LocalJob, host: JobHost, request: JsonObject) -> None:
    """Create a processing host's folders and its two config files."""
    config = host.ml / "config"
    config.mkdir(parents=True)
    (host.ml / "processing").mkdir()
    (host.ml / "output").mkdir()
    full = {"ProcessingJobArn": job.arn, "ProcessingJobName": job.name} | request
    _write(config / "processingjobconfig.json", rewrite(job, host, full))
    resources = {"current_host": job.name_of(host), "hosts": job.host_names}
    _write(config / "resourceconfig.json", resources)


def training_resources(job: LocalJob, host: JobHost) -> JsonObject:
    """Build resourceconfig.json of a training host."""
    groups: dict[str, JsonObject] = {}
    for other in job.hosts:
        plan = other.plan
        group = groups.setdefault(
            plan.group,
            {
                "instance_group_name": plan.group,
                "instance_type": plan.instance_type,
                "hosts": [],
            },
        )
        group["hosts"].append(job.name_of(other))
    return {
        "current_host": job.name_of(host),
        "current_instance_type": host.plan.instance_type,
        "current_group_name": host.plan.group,
        "hosts": job.host_names,
        "instance_groups": list(groups.values()),
        "network_interface_name": NETWORK_INTERFACE,
    }


def _channels(request: JsonObject) -> JsonObject:
    mode = request.get("AlgorithmSpecification", {}).get("TrainingInputMode", "File")
    described = {}
    for channel in request.get("InputDataConfig") or []:
        source = channel.get("DataSource", {}).get("S3DataSource", {})
        chosen = channel.get("InputMode", mode)
        entry = {
            "TrainingInputMode": "File" if chosen == "FastFile" else chosen,
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        if "ContentType" in channel:
            entry["ContentType"] = channel["ContentType"]
        described[channel["ChannelName"]] = entry
    return described


def _write(path: Path, value: Mapping[str, Json]) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")
