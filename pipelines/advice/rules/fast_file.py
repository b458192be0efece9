"""Input mode FastFile, where copying the data took a good part of the time."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, time_of
from pipelines.steptypes.limits import objects
from pipelines.steptypes.places import value_at

_LEAST_SECONDS: Final = 60.0
_SHARE: Final = 0.2


def _advise(job: ObservedJob) -> str | None:
    copying = job.seconds_in("Downloading")
    channels = _copied(job)
    if copying < max(_LEAST_SECONDS, _SHARE * job.wall) or not channels:
        return None
    named = ", ".join(f"`{one}`" for one in channels)
    return (
        f"read {named} in mode FastFile: copying took {time_of(copying)}, before"
        f" {time_of(job.wall)} of training"
    )


def _copied(job: ObservedJob) -> list[str]:
    """Return the channels that are copied before the job starts and could be read as it runs."""
    whole = value_at(job.described, "AlgorithmSpecification.TrainingInputMode")
    return [
        str(channel.get("ChannelName"))
        for _, channel in objects(job.described.get("InputDataConfig"))
        if (channel.get("InputMode") or whole) == "File"
        and value_at(channel, "DataSource.S3DataSource.S3DataType") == "S3Prefix"
        and channel.get("ChannelName") != "code"
    ]


RULE = Rule(60, "data", _advise)
