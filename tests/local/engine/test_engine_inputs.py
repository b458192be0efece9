"""A step that wrote nothing is named by the step that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.engine.parts import EngineParts
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType, require
from tests.local.engine.conftest import Bench, FakeClock, FakeJobs
from tests.local.engine.undemanding import readable, undemanding

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer


def _reading_type(type_name: str) -> StepType | None:
    """Find a Type that takes any arguments, and reads what they name."""
    found = undemanding(type_name)
    return None if found is None else replace(found, inputs=require(type_name).inputs)


@pytest.fixture
def bench(settings: LocalSettings) -> Iterator[Bench]:
    """A bench whose steps want the objects that they read."""
    jobs, clock = FakeJobs(), FakeClock()
    parts = EngineParts(
        executors=jobs.find, step_types=_reading_type, clock=clock, check_definition=readable
    )
    with LocalSageMaker(settings, parts) as service:
        yield Bench(settings.home, service, jobs, clock)


def _writing(bench: Bench, files: dict[str, str]) -> Answer:
    """Answer with outputs `train` and `empty`, of which only the first gets files."""

    def write(_: StepCall) -> StepOutcome:
        for name, text in files.items():
            bench.put(f"s3://bucket/out/train/{name}", text)
        outputs = [
            {"OutputName": name, "S3Output": {"S3Uri": f"s3://bucket/out/{name}"}}
            for name in ("train", "empty")
        ]
        properties = {"ProcessingOutputConfig": {"Outputs": outputs}}
        return StepOutcome(StepStatus.SUCCEEDED, properties)

    return write


def _reading(*uris: Json) -> JsonObject:
    inputs = [
        {"InputName": f"in-{number}", "S3Input": {"S3Uri": uri}}
        for number, uri in enumerate(uris, start=1)
    ]
    return {"Name": "b", "Type": "Processing", "Arguments": {"ProcessingInputs": inputs}}


def _output(name: str) -> JsonObject:
    return {"Get": f"Steps.a.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}


def test_a_step_that_wrote_nothing_is_named_by_the_step_that_reads_it(bench: Bench) -> None:
    """Also where a part of its output is read; the job is not started to find nothing."""
    bench.jobs.answers["a"] = _writing(bench, {"part.csv": "1,2"})
    step = {"Name": "a", "Type": "Processing", "Arguments": {}}
    run = bench.run(step, _reading(_output("train"), _output("empty")))
    assert run.steps["b"]["FailureReason"] == (
        "step `a` wrote nothing into its output `empty`, which input `in-2` reads;"
        " the script of `a` has to write a file there"
    )
    assert bench.jobs.names == ["a"]
    part = {"Std:Join": {"On": "/", "Values": [_output("train"), "2026"]}}
    run = bench.run(step, _reading(part))
    assert run.steps["b"]["FailureReason"].startswith(
        "step `a` wrote nothing into `2026` of its output `train`, which input `in-1` reads"
    )
    run = bench.run(step, _reading("s3://elsewhere/nothing"))
    assert run.status == "Succeeded", "what no step wrote is left to the job"


def test_files_that_are_gone_are_not_said_to_have_never_been_written(bench: Bench) -> None:
    """A step that succeeded does not run again when its execution is resumed."""
    bench.jobs.answers["a"] = _writing(bench, {"part.csv": "1,2"})
    bench.jobs.answers["b"] = lambda _: StepOutcome(StepStatus.FAILED, {}, reason="once")
    step = {"Name": "a", "Type": "Processing", "Arguments": {}}
    run = bench.run(step, _reading(_output("train")))
    bench.service.objects.delete("s3://bucket/out/train/part.csv")
    again = bench.resume(run.arn)
    assert again.steps["b"]["FailureReason"].startswith(
        "the files that step `a` wrote into its output `train`, which input `in-1` reads, are gone"
    )


def test_a_stub_reads_no_inputs(bench: Bench) -> None:
    """It stands in for the step, whatever that would have read."""
    bench.jobs.answers["a"] = _writing(bench, {})
    stub = bench.home / "b.json"
    stub.write_text("{}", encoding="utf-8")
    step = {"Name": "a", "Type": "Processing", "Arguments": {}}
    options = replace(RunOptions(), stubs={"b": stub})
    assert bench.run(step, _reading(_output("train")), options=options).status == "Succeeded"
