"""Which endpoints a pipeline deploys: of what is compiled, of what is deployed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from pipelines.bundle.assets import CodeAsset
from pipelines.compile.model import Compiled
from pipelines.definition.named import defaults_of, known_text, objects_of, read
from pipelines.definition.steps import take_apart
from pipelines.programs.deploy.batch import input_of
from pipelines.programs.deploy.model import DeploymentTarget as Deployment
from pipelines.programs.deploy.target import target_of
from pipelines.programs.deploy.variables import ENDPOINT, JOB, STEP
from pipelines.runtime.bundle import CODE
from pipelines.spec.names import deployer

_PROGRAM = "deploy"


def deployments(compiled: Compiled, group: str | None = None) -> tuple[Deployment, ...]:
    """Find the deployments that approvals start, of one group or of all."""
    return _named((compiled.definitions.get(deployer(compiled.pipeline)),), compiled, group)


def every_deployment(compiled: Compiled) -> tuple[Deployment, ...]:
    """Find all deployments: those that approvals start, and batches that only schedules start.

    A batch whose input only an execution knows is none that a command could carry out.
    """
    return tuple(one for one in steps_that_deploy(compiled) if not one.batch or input_of(one))


def steps_that_deploy(compiled: Compiled) -> tuple[Deployment, ...]:
    """Find all deployments; a batch whose input only an execution knows has an empty one."""
    main = compiled.definitions[compiled.pipeline]
    others = (text for name, text in compiled.definitions.items() if name != compiled.pipeline)
    found: dict[str, Deployment] = {}
    for one in _named((*others, main), compiled):
        found.setdefault(one.endpoint, one)
    return tuple(found.values())


def _named(
    definitions: Iterable[str | None], compiled: Compiled, group: str | None = None
) -> tuple[Deployment, ...]:
    found = []
    for text in definitions:
        definition = json.loads(text) if text is not None else {"Steps": []}
        defaults = defaults_of(definition)
        for step in take_apart(definition).steps:
            asset = next((one for one in compiled.code if one.step == step.name), None)
            if asset is not None and asset.job.program == _PROGRAM:
                variables = step.arguments["Environment"]
                texts = {name: known_text(value, defaults) for name, value in variables.items()}
                found.append(_deployment(asset, texts))
    return tuple(one for one in found if group is None or one.group == group)


def endpoints_of(definition: str) -> Iterator[str]:
    """Yield the endpoints that a definition's deployment steps deploy to.

    One that is a parameter has the parameter's default; what an execution decides is left out.
    """
    document = read(definition)
    defaults = defaults_of(document)
    for variables in objects_of(document):
        name = known_text(variables.get(ENDPOINT), defaults)
        if name is not None:
            yield name


def batches_of(definition: str) -> dict[str, str]:
    """Return the batches of a definition: the step, and what its jobs and models begin with."""
    document = read(definition)
    defaults = defaults_of(document)
    found = (
        (known_text(variables.get(STEP), defaults), known_text(variables.get(JOB), defaults))
        for variables in objects_of(document)
        if STEP in variables
    )
    return {step: job for step, job in found if step is not None and job is not None}


def _deployment(asset: CodeAsset, variables: Mapping[str, str | None]) -> Deployment:
    texts = {name: value or "" for name, value in variables.items()}
    return target_of(asset.job.config, texts, lambda path: asset.content(f"{CODE}{path}"))
