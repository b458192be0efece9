"""What the bus does with events: in their order, once each, whatever becomes of a target."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.backends.local.events.bus import EventBus
from pipelines.backends.local.events.rules import EventPath, Rule, Target
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.json_types import JsonObject

PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/deploy"
FAIL = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "package", "Type": "String"}],
    "Steps": [FAIL],
}
ANY: JsonObject = {"detail": {"ModelPackageGroupName": ["g"]}}
VERSION = {"package": EventPath("$.detail.ModelPackageArn")}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LocalSageMaker]:
    """A local SageMaker with a group, and a pipeline that nobody runs."""
    settings = LocalSettings(tmp_path / ".pipelines", Path(sys.executable))
    with LocalSageMaker(settings) as service:
        service.create_model_package_group(ModelPackageGroupName="g")
        service.create_pipeline(
            PipelineName="deploy",
            RoleArn="arn:aws:iam::000000000000:role/r",
            PipelineDefinition=json.dumps(DEFINITION),
        )
        service.changes.watch()
        yield service


def bus(service: LocalSageMaker, said: list[str], *targets: Target) -> EventBus:
    """Make a bus with one rule, for the versions of a group."""
    return EventBus(service, (Rule("r", ANY, targets),), said.append)


def started(service: LocalSageMaker) -> list[str]:
    """List what the executions were started with, the oldest first."""
    listed = service.list_pipeline_executions(PipelineName="deploy", SortOrder="Ascending")
    arns = [one["PipelineExecutionArn"] for one in listed["PipelineExecutionSummaries"]]
    values = []
    for arn in arns:
        found = service.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        values += [one["Value"] for one in found["PipelineParameters"]]
    return values


def test_pipelines_start_in_the_order_of_the_changes_with_values_of_the_event(
    service: LocalSageMaker,
) -> None:
    """A path of a parameter is replaced by what the event has there."""
    arns = [
        service.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"] for _ in range(3)
    ]
    said: list[str] = []
    bus(service, said, Target("one", PIPELINE, VERSION)).deliver()
    assert started(service) == arns
    assert [line.rpartition(" ")[0] for line in said] == ["r: started deploy:"] * 3


def test_an_event_that_is_handed_on_again_starts_nothing_twice(
    service: LocalSageMaker,
) -> None:
    """As after a crash between the start and the removal of the change."""
    service.create_model_package(ModelPackageGroupName="g")
    state = service.settings.home / "state.db"
    columns = "id, resource, recorded, before, after"
    with sqlite3.connect(state) as connection:
        (row,) = connection.execute(f"SELECT {columns} FROM changes").fetchall()  # noqa: S608 - a constant
    said: list[str] = []
    once = bus(service, said, Target("one", PIPELINE, VERSION))
    once.deliver()
    with sqlite3.connect(state) as connection:
        connection.execute(f"INSERT INTO changes ({columns}) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608 - a constant
    connection.close()
    once.deliver()
    assert len(said) == 2
    assert said[0] == said[1]
    assert len(started(service)) == 1


def test_what_cannot_be_handed_on_is_said_and_stops_nothing(service: LocalSageMaker) -> None:
    """No such pipeline, a path that leads nowhere, a parameter too many, another service."""
    service.create_model_package(ModelPackageGroupName="g")
    said: list[str] = []
    bus(
        service,
        said,
        Target("a", PIPELINE.replace("deploy", "none")),
        Target("b", PIPELINE, {"package": EventPath("$.detail.none")}),
        Target("c", PIPELINE, {**VERSION, "other": "1"}),
        Target("d", "arn:aws:lambda:us-east-1:000000000000:function:f"),
        Target("e", PIPELINE, VERSION),
    ).deliver()
    none, nowhere, unknown, other, good = said
    assert "none was not started: " in none
    assert "deploy was not started: the event has nothing at $.detail.none" in nowhere
    assert "deploy was not started: " in unknown
    assert "there is no lambda here" in other
    assert "started deploy" in good
    assert {one.resource for one in service.changes.waiting()} == {"executions"}, "its own start"


def test_a_value_that_is_no_text_is_written_as_json(service: LocalSageMaker) -> None:
    """As EventBridge writes it."""
    service.create_model_package(ModelPackageGroupName="g")
    said: list[str] = []
    certified = EventPath("$.detail.CertifyForMarketplace")
    bus(service, said, Target("a", PIPELINE, {"package": certified})).deliver()
    assert started(service) == ["false"]


def test_a_change_that_cannot_be_told_holds_up_no_other(
    service: LocalSageMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once, and removed: it would fail again and again."""
    service.create_model_package(ModelPackageGroupName="g")
    with sqlite3.connect(service.settings.home / "state.db") as connection:
        connection.execute("UPDATE changes SET after = '{}'")
    service.create_model_package(ModelPackageGroupName="g")
    said: list[str] = []
    bus(service, said, Target("a", PIPELINE, VERSION)).deliver()
    assert len(started(service)) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "internal error: no events are sent for a change of packages"
    ]
