"""Pipelines and executions through the API: shapes, versions, lists, errors."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.json_types import Json, JsonObject

Conform = Callable[[str, JsonObject], None]

ROLE = "arn:aws:iam::000000000000:role/pipelines"


def _definition(outcome: int = 1) -> str:
    condition = {"Type": "Equals", "LeftValue": {"Get": "Parameters.n"}, "RightValue": outcome}
    register = {
        "Name": "register",
        "Type": "RegisterModel",
        "DisplayName": "Register it",
        "Description": "A version of g",
        "Arguments": {"ModelPackageGroupName": "g", "Tags": [{"Key": "team", "Value": "ml"}]},
    }
    made_of: JsonObject = {"ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "x"}}
    model = {"Name": "model", "Type": "Model", "Arguments": made_of}
    fail = {"Name": "reject", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    arguments = {"Conditions": [condition], "IfSteps": [register, model], "ElseSteps": [fail]}
    parameters = [
        {"Name": "n", "Type": "Integer", "DefaultValue": 1},
        {"Name": "fast", "Type": "Boolean", "DefaultValue": False},
    ]
    steps = [{"Name": "check", "Type": "Condition", "Arguments": arguments}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


@pytest.fixture
def start(service: LocalSageMaker) -> Callable[..., str]:
    """Start an execution of the pipeline `p`, which is there; return its ARN."""
    service.create_pipeline(
        PipelineName="p",
        PipelineDefinition=_definition(),
        PipelineDescription="text",
        RoleArn=ROLE,
        ClientRequestToken="c" * 32,
        Tags=[{"Key": "a", "Value": "b"}],
    )

    def execute(**request: Json) -> str:
        arn: str = service.start_pipeline_execution(PipelineName="p", **request)[
            "PipelineExecutionArn"
        ]
        return arn

    return execute


def test_responses_conform_to_botocores_shapes(
    service: LocalSageMaker, start: Callable[..., str], conform: Conform
) -> None:
    """Everything that reads, after one execution that succeeded and one that failed."""
    service.run(start(PipelineExecutionDisplayName="first", PipelineExecutionDescription="text"))
    arn = start(PipelineParameters=[{"Name": "n", "Value": "2"}])
    service.run(arn)
    named: JsonObject = {"PipelineName": "p"}
    one: JsonObject = {"PipelineExecutionArn": arn}
    reads: dict[str, JsonObject] = {
        "DescribePipeline": service.describe_pipeline(**named),
        "ListPipelines": service.list_pipelines(),
        "ListPipelineVersions": service.list_pipeline_versions(**named),
        "ListPipelineExecutions": service.list_pipeline_executions(**named),
        "DescribePipelineExecution": service.describe_pipeline_execution(**one),
        "ListPipelineExecutionSteps": service.list_pipeline_execution_steps(**one),
        "ListPipelineParametersForExecution": service.list_pipeline_parameters_for_execution(**one),
        "DescribePipelineDefinitionForExecution": (
            service.describe_pipeline_definition_for_execution(**one)
        ),
        "UpdatePipeline": service.update_pipeline(**named, PipelineDescription="new"),
        "DeletePipeline": service.delete_pipeline(**named),
    }
    for operation, response in reads.items():
        conform(operation, response)
    assert reads["DescribePipeline"]["PipelineDefinition"] == _definition()
    assert reads["DescribePipelineExecution"]["PipelineExecutionStatus"] == "Failed"


def test_steps_carry_the_metadata_of_their_type(
    service: LocalSageMaker, start: Callable[..., str], conform: Conform
) -> None:
    """RegisterModel and Model name what they made, and the group bears the step's tags."""
    arn = start()
    service.run(arn)
    response = service.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    conform("ListPipelineExecutionSteps", response)
    steps = {step["StepName"]: step for step in response["PipelineExecutionSteps"]}
    package = steps["register"]["Metadata"]["RegisterModel"]["Arn"]
    found = service.describe_model_package(ModelPackageName=package)
    assert found["MetadataProperties"] == {"GeneratedBy": arn}
    assert steps["register"]["StepDisplayName"] == "Register it"
    group = service.describe_model_package_group(ModelPackageGroupName="g")["ModelPackageGroupArn"]
    assert service.list_tags(ResourceArn=group)["Tags"] == [{"Key": "team", "Value": "ml"}]
    model = steps["model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    assert service.describe_model(ModelName=model)["ExecutionRoleArn"] == ROLE


def test_parameters_are_listed_with_all_their_values(
    service: LocalSageMaker, start: Callable[..., str]
) -> None:
    """Defaults too, as strings."""
    arn = start(PipelineParameters=[{"Name": "n", "Value": "5"}])
    found = service.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert found["PipelineParameters"] == [
        {"Name": "n", "Value": "5"},
        {"Name": "fast", "Value": "false"},
    ]


def test_each_definition_is_a_version_and_executions_keep_theirs(
    service: LocalSageMaker, start: Callable[..., str]
) -> None:
    """An update without a definition makes no version; an old version can be started."""
    arn = start()
    update = service.update_pipeline(PipelineName="p", PipelineDefinition=_definition(2))
    assert update["PipelineVersionId"] == 2
    assert service.update_pipeline(PipelineName="p", RoleArn=ROLE)["PipelineVersionId"] == 2
    definition = service.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert definition["PipelineDefinition"] == _definition()
    assert service.describe_pipeline(PipelineName="p")["PipelineDefinition"] == _definition(2)
    old = start(PipelineVersionId=1)
    described = service.describe_pipeline_execution(PipelineExecutionArn=old)
    assert described["PipelineVersionId"] == 1
    first = service.describe_pipeline(PipelineName="p", PipelineVersionId=1)
    assert first["PipelineDefinition"] == _definition()


def test_a_definition_may_lie_in_the_object_store(service: LocalSageMaker) -> None:
    """PipelineDefinitionS3Location, for what is larger than a request."""
    service.objects.put_bytes("s3://bucket/p.json", _definition().encode())
    location = {"Bucket": "bucket", "ObjectKey": "p.json"}
    service.create_pipeline(PipelineName="p", PipelineDefinitionS3Location=location, RoleArn=ROLE)
    assert service.describe_pipeline(PipelineName="p")["PipelineDefinition"] == _definition()


def test_the_same_client_request_token_starts_one_execution(
    service: LocalSageMaker, start: Callable[..., str]
) -> None:
    """A start that is sent again after a lost answer is the same start."""
    token = "t" * 32
    assert start(ClientRequestToken=token) == start(ClientRequestToken=token)
    found = service.list_pipeline_executions(PipelineName="p")
    assert len(found["PipelineExecutionSummaries"]) == 1


def test_executions_are_listed_newest_first_in_pages(
    service: LocalSageMaker, start: Callable[..., str]
) -> None:
    """With bounds of time."""
    arns = [start() for _ in range(5)]
    seen: list[str] = []
    token: JsonObject = {}
    while len(seen) < len(arns):
        found = service.list_pipeline_executions(PipelineName="p", MaxResults=2, **token)
        summaries = found["PipelineExecutionSummaries"]
        seen += [item["PipelineExecutionArn"] for item in summaries]
        token = {"NextToken": found.get("NextToken")}
    assert seen == arns[::-1]
    third = service.describe_pipeline_execution(PipelineExecutionArn=arns[2])["CreationTime"]
    later = service.list_pipeline_executions(PipelineName="p", CreatedAfter=third)
    assert len(later["PipelineExecutionSummaries"]) == 2


PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/q"
BY = {"RoleArn": ROLE}
ERRORS: list[tuple[str, JsonObject, str]] = [
    ("describe_pipeline", {"PipelineName": "q"}, "ResourceNotFound"),
    ("describe_pipeline", {"PipelineName": "p", "PipelineVersionId": 9}, "ResourceNotFound"),
    ("describe_pipeline", {}, "ValidationException"),
    (
        "create_pipeline",
        {"PipelineName": "q", "PipelineDefinition": "{}", **BY},
        "ValidationException",
    ),
    ("create_pipeline", {"PipelineName": "q_", **BY}, "ValidationException"),
    ("create_pipeline", {"PipelineName": "q", **BY}, "ValidationException"),
    ("create_pipeline", {"PipelineName": "q", "Definition": "{}"}, "SerializationException"),
    (
        "create_pipeline",
        {"PipelineName": "p", "PipelineDefinition": _definition(), **BY},
        "ValidationException",
    ),
    ("update_pipeline", {"PipelineName": "q"}, "ResourceNotFound"),
    ("start_pipeline_execution", {"PipelineName": "q"}, "ResourceNotFound"),
    (
        "start_pipeline_execution",
        {"PipelineName": "p", "PipelineParameters": [{"Name": "x", "Value": "1"}]},
        "ValidationException",
    ),
    (
        "describe_pipeline_execution",
        {"PipelineExecutionArn": f"{PIPELINE}/execution/x"},
        "ResourceNotFound",
    ),
    ("list_pipeline_executions", {"PipelineName": "q"}, "ResourceNotFound"),
    ("list_pipelines", {"MaxResults": 101}, "ValidationException"),
    ("list_pipelines", {"SortBy": "Size"}, "ValidationException"),
    ("list_pipelines", {"NextToken": "nonsense"}, "ValidationException"),
    ("list_tags", {"ResourceArn": PIPELINE}, "ValidationException"),
    ("describe_model", {"ModelName": "x"}, "ValidationException"),
]


@pytest.mark.parametrize(("operation", "request_", "code"), ERRORS)
@pytest.mark.usefixtures("start")
def test_errors_carry_the_services_codes(
    service: LocalSageMaker, operation: str, request_: JsonObject, code: str
) -> None:
    """So that the same commands work on both targets."""
    with pytest.raises(ServiceError) as raised:
        getattr(service, operation)(**request_)
    assert raised.value.code == code
    assert raised.value.exit_code == 2


def test_a_name_is_taken_once_and_a_token_creates_once(service: LocalSageMaker) -> None:
    """SDKs read the text when they upsert; a request that is sent again creates nothing new."""
    request = {"PipelineName": "p", "PipelineDefinition": _definition(), "RoleArn": ROLE}
    first = service.create_pipeline(**request, ClientRequestToken="c" * 32)
    assert service.create_pipeline(**request, ClientRequestToken="c" * 32) == first
    with pytest.raises(ServiceError) as raised:
        service.create_pipeline(**request)
    assert raised.value.problem == (
        "Pipeline names must be unique within an AWS account and region."
        " Pipeline with name (p) already exists."
    )


def test_what_validate_refuses_becomes_no_pipeline_and_no_version(service: LocalSageMaker) -> None:
    """By creating and by updating; the refusal names the place."""
    step = {"Name": "a", "Type": "Training", "Arguments": {"NoSuchMember": 1}}
    wrong = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    with pytest.raises(ServiceError, match="the pipeline definition is not valid"):
        service.create_pipeline(PipelineName="p", PipelineDefinition=wrong, RoleArn=ROLE)
    assert service.list_pipelines()["PipelineSummaries"] == []
    service.create_pipeline(PipelineName="p", PipelineDefinition=_definition(), RoleArn=ROLE)
    with pytest.raises(ServiceError, match=r"at Steps\.0\.Arguments"):
        service.update_pipeline(PipelineName="p", PipelineDefinition=wrong)
    assert len(service.list_pipeline_versions(PipelineName="p")["PipelineVersionSummaries"]) == 1


@pytest.mark.parametrize("text", ["[" * 9999, '{"Steps": ' + "9" * 5000 + "}", "{"])
def test_a_definition_that_no_parser_reads_is_refused(service: LocalSageMaker, text: str) -> None:
    """However it breaks the parser."""
    with pytest.raises(ServiceError, match="not valid JSON"):
        service.create_pipeline(PipelineName="p", PipelineDefinition=text, RoleArn=ROLE)


def test_what_nobody_named_has_the_names_that_the_service_gives(
    service: LocalSageMaker, start: Callable[..., str]
) -> None:
    """As recorded from the service: FACTS 12.1."""
    execution = start()
    found = service.describe_pipeline_execution(PipelineExecutionArn=execution)
    millis = int(found["CreationTime"].timestamp() * 1000)
    assert found["PipelineExecutionDisplayName"] == f"execution-{millis}"
    assert (found["CreatedBy"], found["LastModifiedBy"]) == ({}, {})
    assert service.describe_pipeline(PipelineName="p")["PipelineDisplayName"] == "p"
