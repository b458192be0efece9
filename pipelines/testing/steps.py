"""A step of `pipeline.yaml`, and what a test gives it → a job that can be run.

The step is read and emitted as by `compile`. Errors elsewhere in the file do not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.bundle.code import CodeRequest
from pipelines.bundle.need import CodeNeed
from pipelines.bundle.project import Project
from pipelines.compile.model import CompileRequest
from pipelines.compile.placing import once_each, placed
from pipelines.compile.reading import build_graph, read_spec
from pipelines.diagnostics import Severity, render_text
from pipelines.diagnostics.sentences import suggestion
from pipelines.graph.model import Graph
from pipelines.json_types import Json
from pipelines.spec.model import Aws
from pipelines.testing.data import Data
from pipelines.testing.errors import JobSetupError
from pipelines.testing.hosts import JobSetup, ModelArchive
from pipelines.testing.known_values import References, parameter_values
from pipelines.testing.options import StepOptions, distribution, texts, words
from pipelines.testing.requests import StepRequest, request_of
from pipelines.testing.running import TIMEOUT, JobUnderTest


def step_job(file: Path, name: str, given: StepOptions, folder: Path) -> JobUnderTest:
    """Describe the job of a step.

    Args:
        file: the spec file; its folder is the project.
        name: the step.
        given: what the test says of it.
        folder: where the job's files go.

    Raises:
        JobSetupError: the spec has errors, there is no such step, or something has to be given.
    """
    graph = _graph(file, name)
    node = graph.nodes[name]
    need = node.kind.needs(name, node.step).code
    parameters = parameter_values(graph.spec, given.get("parameters", {}))
    request = request_of(node, References(graph, file.parent, parameters))
    if need is None or request is None:
        raise JobSetupError(_no_job(graph, name))
    _refuse_unknown(name, request, need, given)
    missing = "".join(f"\n  {line}" for line in _missing(request, need, given))
    if missing:
        raise JobSetupError(f"step `{name}` needs what only the test can give:{missing}")
    return JobUnderTest(
        CodeRequest(
            name, _need(need, given), "s3://test", (graph.spec.aws or Aws()).pip_index_url, {}
        ),
        _setup(request, need, given, folder.name),
        Project(file.parent),
        folder,
        timeout=given.get("timeout", TIMEOUT),
        metric_definitions=request.metric_definitions,
        reports=request.reports,
    )


def _graph(file: Path, name: str) -> Graph:
    """Read a spec up to its graph, which holds the step.

    Raises:
        JobSetupError: an error keeps the step from being read, or there is none of that name.
    """
    spec = read_spec(CompileRequest(file, None, os.environ))
    built, diagnostics = build_graph(spec), spec.diagnostics
    if built is not None and spec.document is not None:
        diagnostics = once_each((*diagnostics, *placed(spec.document, built.findings)))
    errors = (one for one in diagnostics if one.severity is Severity.ERROR)
    wrong = [one for one in errors if one.path[:1] != ("steps",) or name in one.path[1:2]]
    if wrong or built is None:
        shown = render_text(wrong, {str(file): spec.parsed.text}, colour=False)
        raise JobSetupError(f"step `{name}` cannot be read\n{shown}")
    graph = built.graph
    if name not in graph.nodes:
        advice = suggestion(name, graph.nodes)
        raise JobSetupError(f"{file.name} has no step `{name}`: {advice}")
    return graph


def _no_job(graph: Graph, name: str) -> str:
    kind = graph.nodes[name].spec.kind
    return f"step `{name}` ({kind}) runs no code that a test can start: try it with `pipelines run`"


def _refuse_unknown(name: str, request: StepRequest, need: CodeNeed, given: StepOptions) -> None:
    """Refuse what the step does not take.

    Raises:
        JobSetupError: names it, and what was probably meant.
    """
    if "model" in given and need.model_input is None:
        raise JobSetupError(f"step `{name}` takes no model")
    known = [one for one in request.inputs if one != need.model_input]
    for one in given.get("inputs", {}):
        if one == need.model_input:
            raise JobSetupError(f"the input `{one}` of step `{name}` is given as model=…")
        if one not in known:
            advice = suggestion(one, known) or "it has none"
            raise JobSetupError(f"step `{name}` has no input `{one}`: {advice}")
    for option in {"arguments", "hyperparameters"} - {request.option}:
        if option in given:
            raise JobSetupError(
                f"the script of step `{name}` gets {request.option}, not {option}:"
                f" write {request.option}=…"
            )


def _missing(request: StepRequest, need: CodeNeed, given: StepOptions) -> Iterator[str]:
    """Yield what has to be given, as it is written, and what it stands for."""
    for name, source in request.inputs.items():
        is_model = name == need.model_input
        is_given = "model" in given if is_model else name in given.get("inputs", {})
        if not is_given and not isinstance(source, Path):
            option = "model=…" if is_model else f'inputs={{"{name}": …}}'
            yield f"{option} for {source}"
    for option, values, more in (
        (request.option, request.values, given.get(request.option, {})),
        ("environment", request.environment, given.get("environment", {})),
    ):
        for name, value in values.items():
            if name not in more and not isinstance(value, str):
                yield f'{option}={{"{name}": …}} for {value["Get"]}'


def _setup(request: StepRequest, need: CodeNeed, given: StepOptions, name: str) -> JobSetup:
    values = _texts(request.values, given.get(request.option, {}), request.option)
    inputs: dict[str, Data | ModelArchive] = {
        name: source for name, source in request.inputs.items() if isinstance(source, Path)
    }
    inputs |= given.get("inputs", {})
    if need.model_input is not None and "model" in given:
        inputs[need.model_input] = ModelArchive(given["model"])
    return JobSetup(
        job=need.job,
        name=name,
        inputs=inputs,
        outputs=request.outputs,
        hyperparameters=values if request.option == "hyperparameters" else {},
        arguments=words(values) if request.option == "arguments" else (),
        environment=_texts(request.environment, given.get("environment", {}), "environment"),
        hosts=given.get("hosts", 1),
    )


def _texts(values: Mapping[str, Json], given: Mapping[str, object], option: str) -> dict[str, str]:
    """Return the values of the step with those of the test in their place."""
    known = {name: value for name, value in values.items() if isinstance(value, str)}
    return {**known, **texts(given, option)}


def _need(need: CodeNeed, given: StepOptions) -> CodeNeed:
    """Return what the step's bundle holds, as the test wants it."""
    if "requirements" in given:
        lines = tuple(given["requirements"])
        need = replace(need, requirements=lines, requirements_file=None)
    if "distribution" in given:
        return replace(need, distribution=distribution(given))
    if "processes_per_host" in given and need.distribution is not None:
        count = {"processes_per_host": given["processes_per_host"]}
        return replace(need, distribution={**need.distribution, **count})
    return need
