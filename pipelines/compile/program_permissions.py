"""A step that runs a built-in program → what the program calls, with the role of the job.

Each program declares its actions (`programs/__init__.py`); its configuration in the step's bundle
and the step's environment say on what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines import programs
from pipelines.compile.grants import LISTING, Permission, StepGrants, conditions_of
from pipelines.compile.job_permissions import JobPermissions
from pipelines.compile.resources import Resources, members, texts
from pipelines.definition.steps import Step
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.programs.deploy.variables import INPUT, OUTPUT
from pipelines.runtime.bundle import Job
from pipelines.steptypes import job_role

WATCHING = "cloudwatch:DescribeAlarms"
"""SageMaker watches the alarms of an update as who asks for the update (FACTS 11.13)."""


@frozen
class ProgramPermissions:
    """What the built-in programs of a pipeline call.

    Args:
        resources: makes ARNs.
        jobs: the configurations of the jobs, by the URIs of their bundles.
        of_jobs: what the models need that a program deploys.
    """

    resources: Resources
    jobs: Mapping[str, Job]
    of_jobs: JobPermissions

    def of(self, step: Step, role: str) -> Iterator[Permission]:
        """Yield what the built-in program of a step calls; nothing where it runs none."""
        grants = StepGrants(self.resources, step.name, role)
        for uri in self.resources.reads(step):
            job = self.jobs.get(uri)
            if job is not None and job.program is not None:
                yield from self._of_program(grants, step, job.program, job.config)

    def _of_program(
        self, grants: StepGrants, step: Step, program: str, config: JsonObject
    ) -> Iterator[Permission]:
        named = texts(members(config, "AlarmName"))
        alarms = tuple(self.resources.arn("cloudwatch", f"alarm:{name}") for name in named)
        if alarms:
            yield grants.allow(WATCHING, alarms)
        declared, variables = programs.declaration(program), self._variables(step)
        yield from self._of_actions(grants, step, declared.actions, config)
        for member, actions in declared.further.items():
            if list(members(config, member)):
                yield from self._of_actions(grants, step, actions, config)
        if declared.endpoint in variables:
            yield from self.of_jobs.of_deployed(step, variables[declared.endpoint])
            yield from self._of_answers(step, config)
            yield from self._of_captures(step, config)
        elif declared.batch in variables:
            yield from self.of_jobs.of_batch(step, _variable(step, INPUT), _variable(step, OUTPUT))

    def _of_actions(
        self,
        grants: StepGrants,
        step: Step,
        actions: Mapping[str, tuple[str, ...]],
        config: JsonObject,
    ) -> Iterator[Permission]:
        """Yield actions that a program declares, on what its configuration and variables name."""
        variables = self._variables(step)
        for action, nouns in actions.items():
            uris = [uri for noun in nouns for uri in self._uris(step, config, noun)]
            plain = [noun for noun in nouns if not noun.startswith("<")]
            if action == LISTING:
                areas = [self._area(noun, variables) for noun in plain]
                yield from grants.listing((*areas, *self.resources.areas(uris)))
                continue
            named = (one for noun in plain for one in self._named(noun, variables))
            on = (*self.resources.objects(uris), *named)
            yield grants.allow(action, on or ("*",), conditions_of(action))

    def _uris(self, step: Step, config: JsonObject, noun: str) -> Iterator[str]:
        """Yield the URIs that `<NAME>` stands for, of a program's configuration or a variable."""
        if noun.startswith("<"):
            name = noun[1:-1]
            yield from _folders(config, name)
            yield from self.resources.uris([_variable(step, name)])

    def _of_answers(self, step: Step, config: JsonObject) -> Iterator[Permission]:
        """Yield what an asynchronous model needs to read requests and to write answers.

        Requests that lie elsewhere than below the answers are nothing that the spec knows of.
        """
        grants = StepGrants(self.resources, step.name, self.resources.aws.runs_code_as)
        inference = list(members(config, "AsyncInferenceConfig"))
        outputs = _folders(inference, "S3OutputPath")
        inputs = [f"{uri}input/" for uri in outputs]
        written = [*outputs, *_folders(inference, "S3FailurePath")]
        topics = tuple(dict.fromkeys(texts(members(inference, "SuccessTopic", "ErrorTopic"))))
        for action, on in (
            ("s3:GetObject", self.resources.objects(inputs)),
            ("s3:PutObject", self.resources.objects(written)),
            ("sns:Publish", topics),
        ):
            if on:
                yield grants.allow(action, on)
        for key in texts(members(inference, "KmsKeyId")):
            yield from grants.key(key, job_role.KMS)

    def _of_captures(self, step: Step, config: JsonObject) -> Iterator[Permission]:
        """Yield what a model needs that keeps requests: they are written with its role."""
        grants = StepGrants(self.resources, step.name, self.resources.aws.runs_code_as)
        captured = list(members(config, "DataCaptureConfig"))
        if captured:
            uris = _folders(captured, "DestinationS3Uri") or [self.resources.prefix("captured/")]
            yield grants.allow("s3:PutObject", self.resources.objects(uris))
        for key in texts(members(captured, "KmsKeyId")):
            yield from grants.key(key, job_role.KMS)

    def _variables(self, step: Step) -> dict[str, str]:
        """Return the environment of a step, with `*` from where an execution decides."""
        environment = step.arguments.get("Environment")
        known = {
            name: self.resources.known(value)
            for name, value in (environment if isinstance(environment, dict) else {}).items()
        }
        return {name: text if whole else f"{text}*" for name, (text, whole) in known.items()}

    def _named(self, noun: str, variables: Mapping[str, str]) -> Iterator[str]:
        """Yield the ARNs of a resource that a program declares."""
        if noun == "role":
            yield self.resources.aws.runs_code_as
        elif ":" in noun.partition("{")[0]:
            service, resource = noun.format_map(variables).split(":", 1)
            yield self.resources.arn(service, resource)
        elif noun.endswith("/"):
            yield f"arn:{self.resources.partition}:s3:::{self._area(noun, variables)}*"
        else:
            yield from self.resources.sagemaker(noun.format_map(variables))

    def _area(self, noun: str, variables: Mapping[str, str]) -> str:
        return self.resources.prefix(noun.format_map(variables)).removeprefix("s3://")


def _variable(step: Step, name: str) -> Json:
    """Return the value of a variable of a step; None where it has none of that name."""
    environment = step.arguments.get("Environment")
    return environment.get(name) if isinstance(environment, dict) else None


def _folders(config: Json, member: str) -> list[str]:
    """Return the URIs of a member, each with a slash: `answers` is not `answers-of-others`."""
    return [f"{uri.rstrip('/')}/" for uri in texts(members(config, member))]
