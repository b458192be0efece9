"""Each folder of `cases` is a project; `expected.json` holds the definition it compiles to.

A new case is a folder with a `pipeline.yaml` (and the files it names); `--update-golden` writes
the rest. Comments at the top of the spec say how it is compiled: `# env: prod` overlays an
environment, `# environ: NAME=value` sets a variable for `${env.NAME}`, `# warns: SP306` names
the warnings that it gives (none otherwise).

A bundle's hash covers the job runtime's own source, so the 32 hex digits in the URIs of code are
written as `<hash>`. Hashes of data stand as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape
from botocore.validate import ParamValidator

from pipelines.compile.canonical import canonical
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.definition import check_definition
from pipelines.definition.steps import take_apart
from pipelines.diagnostics import Severity
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")

_CODE_HASH = re.compile(r"(?<=/)[0-9a-f]{32}(?=/bundle\.pyz?)")
_HEADER = re.compile(r"^# (env|environ|warns): (.+)$", re.MULTILINE)


GOLDENS = sorted(str(file.relative_to(FOLDER)) for file in FOLDER.glob("*/expected*.json"))


def _expected(golden: str) -> JsonObject:
    definition: JsonObject = json.loads((FOLDER / golden).read_text("utf-8"))
    return definition


@pytest.mark.parametrize("case", CASES)
def test_definition_is_what_the_golden_says(case: str, *, update_golden: bool) -> None:
    """A project compiles to exactly the bytes of its golden, with the warnings its head names."""
    file = FOLDER / case / "pipeline.yaml"
    header: dict[str, str] = dict(_HEADER.findall(file.read_text("utf-8")))
    environ = dict(pair.split("=", 1) for pair in header.get("environ", "").split())
    result = compile_spec(CompileRequest(file, header.get("env"), environ))
    diagnostics = result.checked.diagnostics
    assert [f"{d.code} {d.message}" for d in diagnostics if d.severity is Severity.ERROR] == []
    assert [d.code for d in diagnostics] == header.get("warns", "").split()
    assert result.compiled is not None
    written = {}
    for name, definition in result.compiled.definitions.items():
        suffix = name.removeprefix(result.compiled.pipeline)
        written[f"expected{suffix}.json"] = _CODE_HASH.sub("<hash>", definition)
    if update_golden:
        for golden, definition in written.items():
            (FOLDER / case / golden).write_text(definition, "utf-8")
    known = {file.name: file.read_text("utf-8") for file in file.parent.glob("expected*.json")}
    assert known, "no golden: run pytest --update-golden and read what it wrote"
    assert written == known


def test_every_golden_has_a_case() -> None:
    """Nothing but folders with a spec lies among the cases: no golden is left over."""
    strays = [p.name for p in FOLDER.iterdir() if not (p / "pipeline.yaml").is_file()]
    assert strays == []


@pytest.mark.parametrize("golden", GOLDENS)
def test_golden_is_canonical_json(golden: str) -> None:
    """A golden is written as `compile` writes: reading and writing it changes nothing."""
    assert canonical(_expected(golden)) == (FOLDER / golden).read_text("utf-8")


@pytest.mark.parametrize("golden", GOLDENS)
def test_golden_passes_the_definition_check(golden: str) -> None:
    """What we compile is right by the rules that anybody's definition is judged by."""
    errors = [f for f in check_definition(_expected(golden)) if f.severity is Severity.ERROR]
    assert errors == []


@pytest.fixture(scope="session")
def sagemaker_model() -> ServiceModel:
    """Give botocore's own model of the SageMaker API."""
    return botocore.session.Session().get_service_model("sagemaker")


@pytest.mark.parametrize("golden", GOLDENS)
def test_arguments_conform_to_botocores_request(golden: str, sagemaker_model: ServiceModel) -> None:
    """Every step's Arguments, functions filled in, are a request that botocore would send."""
    for step in (one.whole for one in take_apart(_expected(golden)).steps):
        step_type = find(step["Type"])
        assert step_type is not None
        if step_type.request is None or step_type.request in step_type.own_shapes:
            continue  # no API has these arguments: the definition check knows them
        shape = sagemaker_model.shape_for(step_type.request)
        assert isinstance(shape, StructureShape)
        request = _filled(step["Arguments"], shape)
        for name in step_type.supplied:
            assert name not in request
            request[name] = _sample(shape.members[name])
        report = ParamValidator().validate(request, shape)
        assert report.generate_report() == "", step["Name"]


def _filled(value: Json, shape: Shape) -> Json:
    """Replace each function by a value of the type that stands there in the request."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS:
        return _sample(shape)
    match shape:
        case StructureShape() if isinstance(value, dict):
            members = shape.members
            return {k: _filled(v, members[k]) if k in members else v for k, v in value.items()}
        case MapShape() if isinstance(value, dict):
            return {k: _filled(v, shape.value) for k, v in value.items()}
        case ListShape() if isinstance(value, list):
            return [_filled(item, shape.member) for item in value]
        case _:
            return value


def _sample(shape: Shape) -> str | float | bool:
    least = int(shape.metadata.get("min", 0)) or 1
    match shape.type_name:
        case "integer" | "long":
            return least
        case "float" | "double":
            return float(least)
        case "boolean":
            return True
        case _:
            choices: list[str] = getattr(shape, "enum", None) or ["x" * least]
            return choices[0]
