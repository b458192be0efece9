"""Advice: every rule with values on both sides of its threshold, and when there is none at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.advice.advise import all_rules
from pipelines.advice.job import ObservedJob
from pipelines.advice.sizes import known_types, next_bigger
from pipelines.execution.usage import HostUsage
from pipelines.json_types import JsonObject
from pipelines.steptypes import find
from pipelines.steptypes.training import STEP_TYPE as TRAINING
from tests.unit.advice.observed import GPUS, HOST, job, told

BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
FOUR = replace(GPUS, count=4, busy_percent=24.0)


def transition(status: str, seconds: float) -> JsonObject:
    """Write an entry of SecondaryStatusTransitions."""
    end = BEGAN + timedelta(seconds=seconds)
    return {"Status": status, "StartTime": BEGAN, "EndTime": end}


def channel(mode: str = "File", kind: str = "S3Prefix", name: str = "train") -> JsonObject:
    """Write a channel."""
    source = {"S3DataSource": {"S3DataType": kind, "S3Uri": "s3://bucket/x"}}
    return {"ChannelName": name, "DataSource": source, "InputMode": mode}


def biggest(seconds: float) -> ObservedJob:
    """Return a job that keeps the biggest instance of a family busy, on spot capacity."""
    host = replace(HOST, wall=seconds, cpu=seconds * 96, cpus=96)
    return job(host, instance="ml.m5.24xlarge", EnableManagedSpotTraining=True)


def most_gpus(instance: str, seconds: float) -> ObservedJob:
    """Return a job that keeps the GPUs of a type busy, on spot capacity."""
    gpus = replace(GPUS, count=8, busy_percent=99.0)
    host = replace(HOST, wall=seconds, cpu=seconds, cpus=192, processes=8, memory=1.0, gpus=gpus)
    return job(host, instance=instance, EnableManagedSpotTraining=True)


def processing(*hosts: HostUsage, instance: str) -> ObservedJob:
    """Return a processing job."""
    known = find("Processing")
    assert known is not None
    cluster = {"InstanceType": instance, "InstanceCount": 1}
    described = {"ProcessingResources": {"ClusterConfig": cluster}}
    return ObservedJob("prepare", known, described, hosts)


def test_there_is_nothing_to_say_about_a_job_that_fits_its_instance() -> None:
    """The job that the other tests change one value of."""
    assert told(job()) == []


@pytest.mark.parametrize(
    ("beyond", "within", "words"),
    [
        (
            job(replace(HOST, memory=14000.0)),
            job(replace(HOST, memory=13900.0)),
            "use a bigger instance, such as ml.m5.2xlarge: 13.7 GB at their peak, of 16.0 GB (85%)",
        ),
        (
            job(replace(HOST, memory=3500.0, processes=4)),
            job(replace(HOST, memory=3400.0, processes=4)),
            "4 processes of up to 3.4 GB at their peak, of 16.0 GB (85%)",
        ),
        (
            job(replace(HOST, gpus=replace(GPUS, busy_percent=85.0)), instance="ml.g5.xlarge"),
            job(replace(HOST, gpus=replace(GPUS, busy_percent=84.9)), instance="ml.g5.xlarge"),
            "ml.g5.12xlarge, with a process for each (`distribution:`), before more instances: its",
        ),
        (
            job(replace(HOST, gpus=replace(GPUS, memory=22200.0)), instance="ml.g5.xlarge"),
            job(replace(HOST, gpus=replace(GPUS, memory=22100.0)), instance="ml.g5.xlarge"),
            "bigger types of one family have the same GPUs: memory 21.7 GB of 24.0 GB at its peak",
        ),
        (
            job(replace(HOST, cpu=2040.0)),
            job(replace(HOST, cpu=2039.0)),
            "such as ml.m5.2xlarge, before more: its 4 CPUs were 85% busy for 10 min",
        ),
        (
            job(replace(HOST, cpu=2040.0, gpus=GPUS), instance="ml.g5.xlarge"),
            job(replace(HOST, cpu=2039.0, gpus=GPUS), instance="ml.g5.xlarge"),
            "its 4 CPUs were 85% busy, its GPUs 50% for 10 min",
        ),
        (
            biggest(3600.0),
            biggest(3599.0),
            "is the biggest of its family, and its 96 CPUs were 100% busy for 60 min",
        ),
        (
            most_gpus("ml.g5.48xlarge", 3600.0),
            most_gpus("ml.g5.48xlarge", 3599.0),
            "has the most GPUs of its family, and its 8 GPUs were 99% busy for 60 min",
        ),
        (
            job(replace(HOST, cpu=750.0)),
            job(replace(HOST, cpu=751.0)),
            "it kept 1.2 of 4 CPUs busy for 10 min",
        ),
        (
            job(replace(HOST, cpu=600.0)),
            job(replace(HOST, cpu=600.0, cpus=3)),
            "run more processes (`processes_per_host:` of `distribution:`), or use a smaller",
        ),
        (
            job(replace(HOST, gpus=FOUR), instance="ml.g5.12xlarge"),
            job(replace(HOST, processes=4, gpus=FOUR), instance="ml.g5.12xlarge"),
            "(`processes_per_host: 4`): 1 process for 4 GPUs, which were 24% busy",
        ),
        (
            job(
                InputDataConfig=[channel()],
                SecondaryStatusTransitions=[transition("Downloading", 120)],
            ),
            job(
                InputDataConfig=[channel()],
                SecondaryStatusTransitions=[transition("Downloading", 119)],
            ),
            "read `train` in mode FastFile: copying took 2 min, before 10 min of training",
        ),
        (
            job(replace(HOST, wall=1800.0, cpu=3600.0)),
            job(replace(HOST, wall=1799.0, cpu=3600.0)),
            "use spot capacity: it ran 30 min on demand, which costs more; an interruption",
        ),
        (
            job(
                SecondaryStatusTransitions=[transition("Starting", 100), transition("Pending", 80)]
            ),
            job(SecondaryStatusTransitions=[transition("Starting", 179)]),
            "(`keep_alive_period_in_seconds:`): they took 3 min to start, for 10 min of training",
        ),
    ],
)
def test_a_rule_speaks_from_its_threshold_on(
    beyond: ObservedJob, within: ObservedJob, words: str
) -> None:
    """In one line, with the numbers that it rests on; below the threshold nothing is said."""
    (text,) = told(beyond)
    assert words in text
    assert "\n" not in text
    assert told(within) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, described={**one.described, "EnableManagedSpotTraining": True}),
        lambda one: job(*one.hosts, resources={"KeepAlivePeriodInSeconds": 600}),
        lambda one: job(*one.hosts, resources={"TrainingPlanArn": "arn"}),
        lambda one: job(*one.hosts, resources={"InstancePreferences": [{"InstanceType": "a"}]}),
        lambda one: replace(one, is_local=True),
    ],
)
def test_spot_is_not_proposed_where_it_is_used_or_cannot_be(
    change: Callable[[ObservedJob], ObservedJob],
) -> None:
    """Spot excludes preferences, warm pools and training plans; a laptop's hours are not billed."""
    long = job(replace(HOST, wall=7200.0, cpu=14400.0))
    assert [text for text in told(long) if "spot" in text]
    assert told(change(long)) == []


@pytest.mark.parametrize(
    "one",
    [channel("FastFile"), channel(kind="ManifestFile"), channel(name="code"), channel("Pipe")],
)
def test_fast_file_is_proposed_for_copied_prefixes_alone(one: JsonObject) -> None:
    """The bundle is copied in any case; manifests cannot be read in this mode (FACTS 2.2)."""
    copying = [transition("Downloading", 300)]
    assert told(job(InputDataConfig=[one], SecondaryStatusTransitions=copying)) == []


@pytest.mark.parametrize("excluded", [{"KeepAlivePeriodInSeconds": 60}, {"InstanceGroups": [{}]}])
def test_a_warm_pool_is_not_proposed_where_there_is_one_or_can_be_none(
    excluded: JsonObject,
) -> None:
    """Nor with spot."""
    starting = [transition("Starting", 400)]
    assert told(job(SecondaryStatusTransitions=starting))
    assert told(job(SecondaryStatusTransitions=starting, resources=excluded)) == []
    spot = job(SecondaryStatusTransitions=starting, EnableManagedSpotTraining=True)
    assert told(spot) == []


def test_no_key_is_proposed_that_the_step_does_not_have() -> None:
    """`distribution:` is a training's; TensorFlow's one process on a host computes on all of it."""
    idle = replace(HOST, cpu=600.0)
    gpus = replace(HOST, gpus=FOUR)
    busy = replace(HOST, wall=3600.0, cpu=3600.0 * 96, cpus=96)
    for one in (
        processing(idle, instance="ml.m5.xlarge"),
        processing(gpus, instance="ml.g5.12xlarge"),
        processing(replace(HOST, gpus=replace(GPUS, busy_percent=99.0)), instance="ml.g5.xlarge"),
        processing(busy, instance="ml.m5.24xlarge"),
        replace(processing(idle, instance="ml.m5.4xlarge"), is_local=True),
    ):
        (text,) = told(one)
        assert "processes_per_host" not in text
        assert "`distribution:`" not in text
    for host in (idle, gpus):
        assert told(job(replace(host, launcher="tensorflow"), instance="ml.g5.12xlarge")) == []


@pytest.mark.parametrize("instance", ["ml.trn1.32xlarge", "ml.inf2.xlarge", "ml.g5.12xlarge"])
@pytest.mark.parametrize("local", [True, False])
def test_idle_cpus_say_nothing_where_accelerators_compute(instance: str, *, local: bool) -> None:
    """Nobody asks Neuron cores, and nvidia-smi may be missing; a local run has neither."""
    idle = replace(HOST, cpu=400.0, cpus=128)
    assert told(job(idle, instance=instance, local=local)) == []


def test_a_process_that_computes_on_several_gpus_is_not_told_to_be_several() -> None:
    """MirroredStrategy, DataParallel: the mean load is more than one GPU can make."""
    several = replace(FOUR, busy_percent=70.0)
    assert told(job(replace(HOST, gpus=several), instance="ml.g5.12xlarge")) == []


def test_full_gpu_memory_says_nothing_of_tensorflow() -> None:
    """It takes nearly all there is when it starts, whatever it needs."""
    full = replace(HOST, gpus=replace(GPUS, memory=24000.0))
    image = {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/tensorflow-training:2"}
    assert told(job(full, instance="ml.g5.xlarge"))
    assert told(job(full, instance="ml.g5.xlarge", AlgorithmSpecification=image)) == []


def test_bigger_is_proposed_before_more_and_once() -> None:
    """Memory, CPUs and GPUs all ask for a bigger instance: the first reason is told."""
    full = replace(HOST, memory=16000.0, cpu=2400.0)
    (text,) = told(job(full))
    assert text.startswith("use a bigger instance")
    assert [rule.order for rule in all_rules()] == sorted({rule.order for rule in all_rules()})


def test_the_instance_that_was_selected_counts() -> None:
    """Of several types the one that ran (FACTS 12.8)."""
    resources = {"InstanceType": None, "SelectedInstanceType": "ml.c5.xlarge"}
    (text,) = told(job(replace(HOST, cpu=2400.0), resources=resources))
    assert "ml.c5.2xlarge" in text


def test_a_local_run_says_only_what_holds_in_the_account() -> None:
    """This machine's memory and CPUs are not those of the instance; code for one CPU is."""
    busy = replace(HOST, cpu=2400.0, memory=16000.0)
    assert told(job(busy, local=True)) == []
    alone = replace(HOST, cpu=600.0, cpus=2)
    (text,) = told(job(alone, instance="ml.m5.4xlarge", local=True))
    assert text.endswith("it kept 1.0 CPUs busy here, and ml.m5.4xlarge has more")
    assert told(job(alone, instance="ml.m5.xlarge", local=True)) == []
    assert told(job(replace(alone, cpus=1), instance="ml.m5.4xlarge", local=True)) == []
    waiting = replace(alone, cpu=299.0)
    assert told(job(waiting, instance="ml.m5.4xlarge", local=True)) == []


def test_a_job_of_some_seconds_or_of_unknown_usage_gives_no_advice() -> None:
    """A minute is the least."""
    short = replace(HOST, wall=59.9, cpu=59.9 * 4)
    assert told(job(short)) == []
    assert told(job(replace(short, wall=60.0, cpu=240.0))) != []
    nothing = ObservedJob("train", TRAINING, {}, ())
    assert told(nothing) == []


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("ml.g4dn.16xlarge", "an instance with more GPUs, such as ml.g4dn.12xlarge"),
        ("ml.g5.xlarge", "an instance with more GPUs, such as ml.g5.12xlarge"),
        ("ml.g5.24xlarge", "an instance with more GPUs, such as ml.g5.48xlarge"),
        ("ml.p3.2xlarge", "an instance with more GPUs, such as ml.p3.8xlarge"),
        ("ml.g7e.2xlarge", "an instance with more GPUs, such as ml.g7e.12xlarge"),
        ("ml.p5.4xlarge", "an instance with more GPUs, such as ml.p5.48xlarge"),
        ("ml.p9.2xlarge", "an instance with more GPUs"),
        ("ml.g4dn.12xlarge", None),
        ("ml.g6e.48xlarge", None),
        ("ml.p4d.24xlarge", None),
    ],
)
def test_a_bigger_type_has_more_gpus_and_not_only_more_cpus(own: str, words: str | None) -> None:
    """Most types of a family have the same one GPU; of some families it is not known here."""
    gpus = replace(GPUS, busy_percent=99.0)
    assert job(replace(HOST, gpus=gpus), instance=own).more_gpus == words


@pytest.mark.parametrize(
    ("own", "bigger"),
    [
        ("ml.m5.large", "ml.m5.xlarge"),
        ("ml.m5.xlarge", "ml.m5.2xlarge"),
        ("ml.g6.4xlarge", "ml.g6.8xlarge"),
        ("ml.m5.24xlarge", None),
        ("ml.p4d.24xlarge", None),
        ("ml.unknown.metal", None),
    ],
)
def test_the_next_bigger_type_is_one_that_the_api_knows(own: str, bigger: str | None) -> None:
    """Of the same family, the next size; Processing knows other types than Training."""
    assert next_bigger(own, known_types(TRAINING)) == bigger
    processing = find("Processing")
    assert processing is not None
    assert "ml.p4d.24xlarge" not in known_types(processing)
