"""A new kind is one new file: nothing else in the house has to know of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.cli import drawing
from pipelines.compile.driver import compile_spec, validate
from pipelines.compile.model import CompileRequest
from pipelines.diagnostics import Diagnostic
from pipelines.json_types import JsonObject
from tools.generate_docs import reference, schema

SPEC = """\
spec: 1
pipeline: samples
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
parameters:
  limit: {type: integer, default: 90}
steps:
  take:
    kind: sampling
    program: steps/take.py
    tables:
      rows: s3://team-bucket/rows/
    machine:
      disk: 20
    patience: ${parameters.limit}
  use:
    kind: processing
    image: sklearn-1.9-cpu
    script: steps/take.py
    inputs:
      sample: ${steps.take.sample}
environments:
  large:
    steps: {take: {machine: {how_many: 3}}}
"""


@pytest.fixture
def project(tmp_path: Path, added_kind: None) -> Path:  # noqa: ARG001 - the kind has to be there
    """Give a project that uses the kind."""
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "take.py").write_text("", "utf-8")
    (tmp_path / "pipeline.yaml").write_text(SPEC, "utf-8")
    return tmp_path


def _steps(project: Path, environment: str | None = None) -> dict[str, JsonObject]:
    result = compile_spec(CompileRequest(project / "pipeline.yaml", environment, {}))
    assert result.compiled is not None, result.checked.diagnostics
    return {step["Name"]: step for step in json.loads(result.compiled.definition)["Steps"]}


def _found(project: Path, edit: tuple[str, str]) -> Diagnostic:
    """Return the one finding about a spec that is changed at one place."""
    (project / "pipeline.yaml").write_text(SPEC.replace(*edit), "utf-8")
    (found,) = validate(CompileRequest(project / "pipeline.yaml", None, {})).diagnostics
    return found


def test_its_keys_become_the_members_that_they_declare(project: Path) -> None:
    """`disk` is `VolumeSizeInGB`, of its own model, and a parameter may stand in a key."""
    take = _steps(project)["take"]
    assert (take["Type"], take["Arguments"]["StoppingCondition"]) == (
        "Processing",
        {"MaxRuntimeInSeconds": {"Get": "Parameters.limit"}},
    )
    assert take["Arguments"]["ProcessingResources"] == {
        "ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 20, "InstanceCount": 1}
    }


def test_an_environment_is_merged_over_its_keys(project: Path) -> None:
    """As over those of any other kind."""
    resources = _steps(project, "large")["take"]["Arguments"]["ProcessingResources"]
    assert resources["ClusterConfig"]["InstanceCount"] == 3


def test_another_step_refers_to_its_output(project: Path) -> None:
    """The graph knows the outputs and draws the steps in their order."""
    inputs = _steps(project)["use"]["Arguments"]["ProcessingInputs"]
    path = "Steps.take.ProcessingOutputConfig.Outputs['sample'].S3Output.S3Uri"
    assert inputs[0]["S3Input"]["S3Uri"] == {"Get": path}
    graph = validate(CompileRequest(project / "pipeline.yaml", None, {})).graph
    assert graph is not None
    assert drawing.tree(drawing.of_graph(graph)).splitlines() == [
        "samples",
        "└─ take (sampling)",
        "   └─ use (processing)",
    ]


@pytest.mark.parametrize(
    ("edit", "line", "code", "word"),
    [
        (("disk: 20", "disk: 0"), 13, "SP415", "`disk`"),
        (("patience: ${parameters.limit}", "patience: 0"), 14, "SP415", "`patience`"),
        (("disk: 20", "size: ml.m5.lagre"), 13, "SP413", "`ml.m5.lagre`"),
        (("s3://team-bucket/rows/", "/rows/"), 11, "SP122", "`/rows/`"),
        (("disk: 20", "dsik: 20"), 13, "SP102", "`dsik`"),
        (("steps.take.sample", "steps.take.smaple"), 20, "SP205", "`smaple`"),
        (("take.py\n    tables", "tkae.py\n    tables"), 9, "SP301", "`steps/tkae.py`"),
    ],
)
def test_a_mistake_is_found_at_its_key(
    project: Path, edit: tuple[str, str], line: int, code: str, word: str
) -> None:
    """What the service says of a member is said of the key that declares it."""
    found = _found(project, edit)
    assert found.span is not None
    assert (found.code, found.span.line) == (code, line), found
    assert word in found.message


@pytest.mark.usefixtures("added_kind")
def test_its_keys_are_in_the_schema_and_in_the_reference() -> None:
    """An editor completes them, and the documentation describes them."""
    definitions = schema()["$defs"]
    assert {"program", "tables", "machine", "patience"} <= set(
        definitions["SamplingStep"]["properties"]
    )
    assert set(definitions["Machine"]["properties"]) == {"size", "disk", "how_many"}
    text = reference()
    assert "## `kind: sampling`" in text
    assert "Take a share of tables." in text
    assert "| `how_many` | integer or reference | `1` | How many. |" in text
