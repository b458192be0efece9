"""Step caching: which arguments count, how long a result lasts, and what a hit looks like."""

from __future__ import annotations

import copy
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.events import StepEnded, StepNoted
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]
CACHE = {"Enabled": True, "ExpireAfter": "P30D"}
DAY = 86_400.0
NOT_REUSED = "not from the cache (the service would reuse it without looking)"

KEYS = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Transform": ("DataProcessing", "Environment", "ModelName", "TransformInput"),
}
OTHERS = {
    "Processing": ("ProcessingOutputConfig", "ProcessingResources", "RoleArn", "StoppingCondition"),
    "Training": ("OutputDataConfig", "ResourceConfig", "RoleArn", "StoppingCondition", "Tags"),
    "Transform": ("TransformOutput", "TransformResources", "MaxPayloadInMB"),
}


def _cached(kind: str, arguments: JsonObject, **more: Json) -> JsonObject:
    return {"Name": "a", "Type": kind, "Arguments": arguments, "CacheConfig": CACHE, **more}


def _pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, member) for kind, members in table.items() for member in members]


def _value(member: str, text: str) -> Json:
    strings = ("Environment", "HyperParameters")
    return {"key": text} if member in strings else {"S3Path": text}


@pytest.mark.parametrize(("kind", "member"), _pairs(KEYS))
@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_change_in_a_key_attribute_misses_the_cache(
    bench: Bench, kind: str, member: str, change: str
) -> None:
    """The attributes that the developer guide lists."""
    arguments = {name: _value(name, "one") for name in KEYS[kind]}
    bench.run(_cached(kind, arguments))
    other = copy.deepcopy(arguments)
    if change == "changed":
        other[member] = _value(member, "two")
    else:
        del other[member]
    run = bench.run(_cached(kind, other))
    assert "CacheHitResult" not in run.steps["a"]
    assert bench.jobs.names == ["a", "a"]


@pytest.mark.parametrize(("kind", "member"), _pairs(OTHERS))
def test_a_change_in_any_other_argument_hits_the_cache(
    bench: Bench, kind: str, member: str
) -> None:
    """Outputs, resources and the role are no part of the key."""
    arguments = {name: _value(name, "one") for name in KEYS[kind]}
    first = bench.run(_cached(kind, {**arguments, member: {"x": 1}}))
    second = bench.run(_cached(kind, {**arguments, member: {"x": 2}}))
    assert second.steps["a"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}
    assert bench.jobs.names == ["a"]


def test_a_hit_reuses_properties_and_metadata_and_is_told(bench: Bench, make_step: Write) -> None:
    """What comes after a hit reads what the earlier run made, under the earlier job's name."""
    job = {"TrainingJob": {"Arn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/x"}}
    bench.jobs.answers["a"] = lambda _: StepOutcome(
        StepStatus.SUCCEEDED, {"TrainingJobName": "earlier"}, metadata=job
    )
    steps = (_cached("Training", {}), make_step("b", x={"Get": "Steps.a.TrainingJobName"}))
    first = bench.run(*steps)
    bench.events.clear()
    run = bench.run(*steps)
    assert bench.jobs.names == ["a", "b", "b"]
    assert bench.arguments("b") == {"x": "earlier"}
    assert run.steps["a"]["Metadata"] == job
    ended = next(event for event in bench.events if isinstance(event, StepEnded))
    assert ended.cached_from == first.arn


def test_the_key_is_made_of_resolved_arguments(bench: Bench) -> None:
    """Another parameter value is another key."""
    joined = {"Std:Join": {"On": "", "Values": [{"Get": "Parameters.n"}]}}
    step = _cached("Training", {"HyperParameters": {"epochs": joined}})
    bench.define(step, parameters=[{"Name": "n", "Type": "Integer", "DefaultValue": 1}])
    runs = [
        bench.run(PipelineParameters=[{"Name": "n", "Value": value}]) for value in ("1", "2", "1")
    ]
    assert ["CacheHitResult" in run.steps["a"] for run in runs] == [False, False, True]


@pytest.mark.parametrize(
    ("config", "days", "hits"),
    [
        ({"Enabled": True, "ExpireAfter": "P30D"}, 29, True),
        ({"Enabled": True, "ExpireAfter": "P30D"}, 31, False),
        ({"Enabled": True, "ExpireAfter": "PT36H"}, 1, True),
        ({"Enabled": True, "ExpireAfter": "PT36H"}, 2, False),
        ({"Enabled": False, "ExpireAfter": "P30D"}, 1, False),
        (None, 1, False),
    ],
)
def test_a_result_lasts_until_it_expires(
    bench: Bench,
    config: JsonObject | None,
    days: float,
    hits: bool,  # noqa: FBT001
) -> None:
    """ExpireAfter counts from the end of the run that made the result; caching is opt-in."""
    step = {"Name": "a", "Type": "Training", "Arguments": {}, "CacheConfig": config}
    bench.run(step)
    bench.clock.time += days * DAY
    assert ("CacheHitResult" in bench.run(step).steps["a"]) is hits


def test_taking_a_result_does_not_make_it_younger(bench: Bench) -> None:
    """A hit is no run of its own: the source stays the run that worked."""
    first = bench.run(_cached("Training", {}))
    bench.clock.time += 20 * DAY
    second = bench.run(_cached("Training", {}))
    assert second.steps["a"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}
    bench.clock.time += 20 * DAY
    assert "CacheHitResult" not in bench.run(_cached("Training", {})).steps["a"]


def test_the_most_recent_success_is_taken_and_failures_are_not(
    bench: Bench, failing: Answer
) -> None:
    """A run without the cache makes a newer result; a failed one makes none."""
    bench.run(_cached("Training", {}))
    bench.clock.time += DAY
    newer = bench.run(_cached("Training", {}), options=RunOptions(cache=False))
    bench.clock.time += DAY
    bench.jobs.answers["a"] = failing
    bench.run(_cached("Training", {}), options=RunOptions(cache=False))
    run = bench.run(_cached("Training", {}))
    assert run.steps["a"]["CacheHitResult"] == {"SourcePipelineExecutionArn": newer.arn}


def test_results_of_another_pipeline_or_step_are_not_taken(bench: Bench) -> None:
    """The service looks for earlier runs of this step of this pipeline."""
    step = _cached("Training", {})
    bench.run(step)
    assert "CacheHitResult" not in bench.run({**step, "Name": "b"}).steps["b"]
    document = '{"Steps": [{"Name": "a", "Type": "Training", "CacheConfig": {"Enabled": true}}]}'
    bench.service.create_pipeline(
        PipelineName="q", PipelineDefinition=document, RoleArn="arn:aws:iam::000000000000:role/x"
    )
    arn = bench.service.start_pipeline_execution(PipelineName="q")["PipelineExecutionArn"]
    bench.service.run(arn)
    assert "CacheHitResult" not in bench.seen(arn).steps["a"]


def _writing(bench: Bench, files: dict[str, str]) -> Answer:
    """Answer with outputs `train` and `empty`, of which only the first gets files."""

    def write(call: StepCall) -> StepOutcome:
        for name, text in files.items():
            bench.put(f"s3://bucket/out/train/{name}", text)
        outputs = [
            {"OutputName": name, "S3Output": {"S3Uri": f"s3://bucket/out/{name}"}}
            for name in ("train", "empty")
        ]
        properties = {**call.arguments, "ProcessingOutputConfig": {"Outputs": outputs}}
        return StepOutcome(StepStatus.SUCCEEDED, properties)

    return write


def _delete(bench: Bench) -> None:
    bench.service.objects.delete("s3://bucket/out/train/part.csv")


def _empty(bench: Bench) -> None:
    bench.service.objects.path_of("s3://bucket/out/train/part.csv").write_text("")


def _edit(bench: Bench) -> None:
    file = bench.service.objects.path_of("s3://bucket/out/train/part.csv")
    file.write_text(file.read_text()[::-1])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_delete, "s3://bucket/out/train/part.csv is missing"),
        (_empty, "s3://bucket/out/train/part.csv has changed"),
        (_edit, "s3://bucket/out/train/part.csv has changed"),
    ],
)
def test_a_result_of_which_a_file_is_not_as_it_was_is_not_taken(
    bench: Bench, harm: Callable[[Bench], None], said: str
) -> None:
    """People clean and edit the object store by hand; the service reuses without looking."""
    bench.jobs.answers["a"] = _writing(bench, {"part.csv": "1,2", "other.csv": "3,4"})
    step = _cached("Processing", {})
    first = bench.run(step)
    assert "CacheHitResult" in bench.run(step).steps["a"]
    harm(bench)
    bench.events.clear()
    assert "CacheHitResult" not in bench.run(step).steps["a"]
    assert [event.text for event in bench.events if isinstance(event, StepNoted)] == [
        f"{NOT_REUSED}: {said} of the result of {first.id}"
    ]
    assert "CacheHitResult" in bench.run(step).steps["a"]


def test_what_stands_beside_the_files_of_a_result_changes_nothing(bench: Bench) -> None:
    """A neighbour is no output, and what was never written is not missed."""
    bench.jobs.answers["a"] = _writing(bench, {"part.csv": "1,2"})
    step = _cached("Processing", {})
    bench.run(step)
    bench.put("s3://bucket/out/train_raw/part.csv", "a neighbour")
    bench.put("s3://bucket/out/train/more.csv", "a file more")
    assert "CacheHitResult" in bench.run(step).steps["a"]
    _delete(bench)
    assert "CacheHitResult" not in bench.run(step).steps["a"]


def test_an_older_result_that_is_whole_is_taken_when_a_newer_one_is_not(bench: Bench) -> None:
    """Its key is the same, so its files are as good."""
    outputs = iter(("s3://bucket/1", "s3://bucket/2"))

    def write(_: StepCall) -> StepOutcome:
        uri = next(outputs)
        bench.put(f"{uri}/part.csv", "1,2")
        output = {"OutputName": "train", "S3Output": {"S3Uri": uri}}
        return StepOutcome(StepStatus.SUCCEEDED, {"ProcessingOutputConfig": {"Outputs": [output]}})

    bench.jobs.answers["a"] = write
    step = _cached("Processing", {})
    first = bench.run(step)
    bench.run(step, options=RunOptions(cache=False))
    bench.service.objects.delete("s3://bucket/2/part.csv")
    run = bench.run(step)
    assert run.steps["a"]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}


def test_a_result_that_an_earlier_version_recorded_is_taken_if_there_are_files(
    bench: Bench,
) -> None:
    """It recorded the outputs' URIs, without their files."""
    bench.jobs.answers["a"] = _writing(bench, {"part.csv": "1,2"})
    step = _cached("Processing", {})
    bench.run(step)
    with sqlite3.connect(bench.home / "state.db") as database:
        database.execute("UPDATE steps SET outputs = ?", ('["s3://bucket/out/train"]',))
    database.close()
    assert "CacheHitResult" in bench.run(step).steps["a"]
    _delete(bench)
    assert "CacheHitResult" not in bench.run(step).steps["a"]


def test_types_that_the_service_does_not_cache_run_every_time(bench: Bench) -> None:
    """RegisterModel with a CacheConfig makes a version each time."""
    arguments = {"ModelPackageGroupName": "g"}
    step = _cached("RegisterModel", arguments)
    bench.run(step)
    assert "CacheHitResult" not in bench.run(step).steps["a"]


def test_another_text_than_a_duration_fails_the_step(bench: Bench) -> None:
    """It would be looked up in the cache only now; the reason says what to write."""
    bench.run(_cached("Training", {}))
    cache = {"Enabled": True, "ExpireAfter": "30 days"}
    run = bench.run({**_cached("Training", {}), "CacheConfig": cache})
    assert run.steps["a"]["FailureReason"].endswith("write `P30D`")


def test_stubs_are_neither_taken_from_nor_answered_by_the_cache(
    bench: Bench,
) -> None:
    """A stubbed result is never a later run's cache hit."""
    stub = bench.home / "a.json"
    stub.write_text('{"properties": {"TrainingJobName": "stubbed"}}', encoding="utf-8")
    options = replace(RunOptions(), stubs={"a": stub})
    bench.run(_cached("Training", {}), options=options)
    assert "CacheHitResult" not in bench.run(_cached("Training", {})).steps["a"]
    again = bench.run(_cached("Training", {}), options=options)
    assert "CacheHitResult" not in again.steps["a"]
