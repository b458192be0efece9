"""Steps that are not executed here: refused by name, or answered by a declared stub."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.executors.stub import read_stub
from pipelines.errors import UsageError
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Bench

Write = Callable[..., JsonObject]


@pytest.fixture
def stub(tmp_path: Path) -> Callable[..., RunOptions]:
    """Write a stub of a step: `stub("step", properties=…, outputs=…)` gives the run's options."""

    def write(step: str, **members: Json) -> RunOptions:
        path = tmp_path / f"{step}.json"
        path.write_text(json.dumps(members), encoding="utf-8")
        return RunOptions(stubs={step: path})

    return write


@pytest.mark.parametrize("kind", ["Lambda", "EMR", "Callback", "SomethingNew", "os.path"])
def test_a_type_without_an_executor_fails_and_names_the_stub(
    bench: Bench, make_step: Write, kind: str
) -> None:
    """It is never silently skipped."""
    run = bench.run(make_step("notify", kind))
    assert run.status == "Failed"
    assert run.steps["notify"]["FailureReason"] == (
        f"steps of type {kind} cannot be executed locally; use a stub: "
        "run --stub notify=FILE, where FILE holds {}"
    )


def test_a_stub_answers_with_its_properties(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions]
) -> None:
    """A Lambda's outputs are read by name."""
    outputs = [{"OutputName": "status", "OutputType": "String", "Value": "ok"}]
    answer = stub("notify", properties={"OutputParameters": outputs})
    get = {"Get": "Steps.notify.OutputParameters['status'].Value"}
    run = bench.run(make_step("notify", "Lambda"), make_step("b", x=get), options=answer)
    assert run.status == "Succeeded"
    assert bench.arguments("b") == {"x": "ok"}


def test_a_stub_answers_for_a_loop_with_a_selector(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions]
) -> None:
    """What the selector compares is an output of an iteration, and none runs here."""
    selector = {"Pick": "MaxBy", "Field": {"Get": "IterationOutput.try.OutputParameters['auc']"}}
    body = [make_step("try", "Lambda", item={"Get": "ForEach.CurrentItem"})]
    loop = make_step("loop", "ForEach", IterableItems=["a"], Selector=selector, ForEachBody=body)
    answer = stub("loop", properties={"Selected": {"OutputParameters": {"auc": 0.9}}})
    get = {"Get": "Steps.loop.Selected.OutputParameters['auc']"}
    run = bench.run(loop, make_step("b", x=get), options=answer)
    assert run.status == "Succeeded"
    assert bench.arguments("b") == {"x": 0.9}


def test_a_folder_that_stands_for_a_model_is_packed(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """A model is an archive: what reads it unpacks it."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.txt").write_text("1")
    arguments = {"OutputDataConfig": {"S3OutputPath": "s3://bucket/models"}}
    model = {"Get": "Steps.t.ModelArtifacts.S3ModelArtifacts"}
    steps = ({"Name": "t", "Type": "Training", "Arguments": arguments}, make_step("b", m=model))
    bench.run(*steps, options=stub("t", outputs={"model": "weights"}))
    packed = bench.service.objects.get_bytes(str(bench.arguments("b")["m"]))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.getnames() == ["w.txt"]


def test_a_stub_of_a_job_is_merged_over_what_its_arguments_say(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """Names, ARN and the model's place are made up; the model is copied there."""
    (tmp_path / "model.tar.gz").write_bytes(b"model")
    answer = stub(
        "t", properties={"ResourceConfig": {"InstanceCount": 2}}, outputs={"model": "model.tar.gz"}
    )
    arguments = {
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    steps = (
        {"Name": "t", "Type": "Training", "Arguments": arguments},
        make_step(
            "b",
            model={"Get": "Steps.t.ModelArtifacts.S3ModelArtifacts"},
            name={"Get": "Steps.t.TrainingJobName"},
            resources={"Get": "Steps.t.ResourceConfig"},
        ),
    )
    bench.run(*steps, options=answer)
    found = bench.arguments("b")
    assert found["model"] == f"s3://bucket/models/{found['name']}/output/model.tar.gz"
    assert found["resources"] == {"InstanceType": "ml.m5.large", "InstanceCount": 2}
    assert bench.service.objects.get_bytes(found["model"]) == b"model"


def test_a_stub_fills_the_place_that_a_property_says(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """`@step` of the SDK reads results below its output path, which holds the execution id."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.json").write_text('{"Result": [7]}', encoding="utf-8")
    place = "OutputDataConfig.S3OutputPath"
    uri = {
        "Std:Join": {"On": "/", "Values": ["s3://b/r", {"Get": "Execution.PipelineExecutionId"}]}
    }
    one = {
        "Name": "one",
        "Type": "Training",
        "Arguments": {"OutputDataConfig": {"S3OutputPath": uri}},
    }
    file = {"Std:Join": {"On": "/", "Values": [{"Get": f"Steps.one.{place}"}, "results.json"]}}
    read = {"Std:JsonGet": {"S3Uri": file, "Path": "Result[0]"}}
    bench.run(one, make_step("b", x=read), options=stub("one", outputs={place: "results"}))
    assert bench.arguments("b") == {"x": 7}


def test_a_stub_fills_the_outputs_of_a_processing_step(
    bench: Bench, stub: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """By OutputName, or by the S3 URI itself."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "part.csv").write_text("1,2", encoding="utf-8")
    answer = stub("s", outputs={"train": "data", "s3://bucket/elsewhere": "data"})
    outputs = [{"OutputName": "train", "S3Output": {"S3Uri": "s3://bucket/train"}}]
    arguments = {"ProcessingOutputConfig": {"Outputs": outputs}}
    bench.run({"Name": "s", "Type": "Processing", "Arguments": arguments}, options=answer)
    for uri in ("s3://bucket/train/part.csv", "s3://bucket/elsewhere/part.csv"):
        assert bench.service.objects.get_bytes(uri) == b"1,2"


def test_a_stub_for_an_output_that_is_not_there_fails_its_step(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions], tmp_path: Path
) -> None:
    """The message lists the outputs."""
    (tmp_path / "data").mkdir()
    run = bench.run(make_step("s", "Processing"), options=stub("s", outputs={"x": "data"}))
    assert run.steps["s"]["FailureReason"] == (
        "the stub has an output `x`; the step's outputs are none"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot read the stub"),
        ("no json", "is not valid JSON"),
        ('{"OutputParameters": []}', "members other than `properties` and `outputs`"),
        ('{"outputs": {"train": "nowhere"}}', "which does not exist"),
        ('{"properties": ["ok"]}', "`properties` of the stub"),
        ('{"outputs": null}', "`outputs` of the stub"),
        ('{"outputs": {"train": 3}}', "does not map `train` to a folder or file"),
    ],
)
def test_a_stub_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    """Before anything runs."""
    path = tmp_path / "stub.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        read_stub(path)
    assert problem in raised.value.problem


def test_a_stub_for_an_unknown_step_is_refused(
    bench: Bench, make_step: Write, stub: Callable[..., RunOptions]
) -> None:
    """A typo would otherwise go unnoticed."""
    bench.define(make_step("a"))
    with pytest.raises(UsageError) as raised:
        bench.service.run(bench.start(), stub("b"))
    assert raised.value.remedy == "the steps are `a`"


@pytest.mark.parametrize(
    "case",
    [
        ("Training", {"FinalMetricDataList": "x"}, "`FinalMetricDataList` has to be a list"),
        ("Training", {"ModelArtifacts": {"S3ModelArtifacts": []}}, "has to be a string"),
        (
            "Processing",
            {"ProcessingOutputConfig": 3},
            "`ProcessingOutputConfig` has to be an object",
        ),
        ("Tuning", {"BestTrainingJob": [1]}, "`BestTrainingJob` has to be an object"),
        ("Training", {"FinalMetricDataList": [{}, {"MetricName": "auc"}]}, None),
        ("Tuning", {"BestTrainingJob": {"FinalHyperParameterTuningJobObjectiveMetric": {}}}, None),
        ("Lambda", {"OutputParameters": 3}, None),
    ],
)
def test_a_stub_that_is_no_result_fails_its_step(
    bench: Bench,
    make_step: Write,
    stub: Callable[..., RunOptions],
    case: tuple[str, JsonObject, str | None],
) -> None:
    """Somebody wrote it by hand: what reads metrics and outputs never meets another type."""
    kind, properties, reason = case
    run = bench.run(make_step("a", kind), options=stub("a", properties=properties))
    assert run.status == ("Succeeded" if reason is None else "Failed")
    if reason is not None:
        said = run.steps["a"]["FailureReason"]
        assert said.startswith(f"the stub is no result of a {kind} step: ")
        assert reason in said
