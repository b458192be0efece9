"""/opt/ml: the paths in it, the config files of FACTS 3.4, and the rewriting of paths.

Where a job has no namespaces its /opt/ml is another folder, and every text that names /opt/ml is
rewritten to it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.spec import Host, Job, JobRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.json_types import Json, JsonObject

ROOT = PurePosixPath("/opt/ml")
NAMED = re.compile(r"(?<![\w.-])/opt/ml(?![\w.-])")  # not in s3://bucket/opt/ml, not /opt/ml2
NETWORK_INTERFACE = "lo" if sys.platform == "linux" else "lo0"


def inside(host: Host, path: str) -> Path:
    """Give the file on this machine for a path of the job such as /opt/ml/processing/input/x.

    Raises:
        JobRefusedError: the path is not below /opt/ml.
    """
    wanted = PurePosixPath(path)
    if ".." in wanted.parts or not wanted.is_relative_to(ROOT):
        raise JobRefusedError(
            f"the path {path} lies outside /opt/ml",
            "locally a job's inputs and outputs must lie below /opt/ml",
        )
    return host.ml / wanted.relative_to(ROOT)


def rewrite(job: Job, host: Host, value: Json) -> Json:
    """Replace /opt/ml in every text of a JSON value by the folder that the job will find."""
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


def write_training(
    job: Job, host: Host, request: JsonObject, parameters: Mapping[str, str]
) -> None:
    """Make a training host's folders and its three config files."""
    for folder in ("input/config", "input/data", "model", "output/data", "output/intermediate"):
        (host.ml / folder).mkdir(parents=True, exist_ok=True)
    config = host.ml / "input" / "config"
    _write(config / "hyperparameters.json", rewrite(job, host, dict(parameters)))
    _write(config / "inputdataconfig.json", _channels(request))
    _write(config / "resourceconfig.json", training_resources(job, host))


def write_processing(job: Job, host: Host, request: JsonObject) -> None:
    """Make a processing host's folders and its two config files."""
    config = host.ml / "config"
    config.mkdir(parents=True)
    (host.ml / "processing").mkdir()
    (host.ml / "output").mkdir()
    full = {"ProcessingJobArn": job.arn, "ProcessingJobName": job.name} | request
    _write(config / "processingjobconfig.json", rewrite(job, host, full))
    resources = {"current_host": job.name_of(host), "hosts": job.host_names}
    _write(config / "resourceconfig.json", resources)


def training_resources(job: Job, host: Host) -> JsonObject:
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
