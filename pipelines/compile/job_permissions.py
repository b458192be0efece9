"""A step with a job → what the role of the job needs, whatever its code does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.compile.grants import Permission, StepGrants
from pipelines.compile.resources import Resources, members, own_arguments, texts
from pipelines.definition.needs import has_unknown_image, images_of
from pipelines.definition.steps import Step
from pipelines.frozen import frozen
from pipelines.json_types import Json
from pipelines.steptypes import job_role

_TRANSFORMS = "/aws/sagemaker/TransformJobs"
_ENDPOINTS = "/aws/sagemaker/Endpoints"  # developer guide, "Log groups and streams"


@frozen
class JobPermissions:
    """What SageMaker does with the role of a job, or of a model.

    Args:
        resources: makes ARNs.
        steps: the steps of all definitions of the pipeline.
    """

    resources: Resources
    steps: tuple[Step, ...]

    def of(self, step: Step, role: str) -> Iterator[Permission]:
        """Yield what the job of a step needs."""
        grants = StepGrants(self.resources, step.name, role)
        model = self.resources.model_of(step)
        images = [*images_of(step), *(self._images_of_model(model) if model else ())]
        reads = (*self.resources.reads(step), *(self._read_by_model(model) if model else ()))
        writes = self.resources.writes(step)
        resource = step.known.resource if step.known is not None else None
        group = resource.log_group if resource else None
        found = {
            "*": ("*",),
            "images": self.resources.repositories(images),
            "logs": (self.resources.arn("logs", f"log-group:{group}*"),) if group else (),
            "inputs": self.resources.objects(reads),
            "outputs": self.resources.objects(self.resources.writes_below(step)),
        }
        yield from grants.running(found)
        yield from grants.listing(self.resources.areas((*reads, *writes)))
        yield from self._on_the_unknown(grants, step, model)
        yield from of_keys(grants, step, job_role.KMS)
        runs = own_arguments(model or step)
        subnets, groups = (texts(members(runs, one)) for one in ("Subnets", "SecurityGroupIds"))
        yield from grants.network(subnets, groups)

    def of_deployed(self, step: Step, endpoint: str) -> Iterator[Permission]:
        """Yield what the models need that a step deploys: they run with the role of users' code.

        Their images are those of the pipeline's registrations; who else registers in the group
        has to give this role more.
        """
        logs = self.resources.arn("logs", f"log-group:{_ENDPOINTS}/{endpoint}*")
        yield from self._of_models(step, logs)

    def of_batch(self, step: Step, source: Json, output: Json) -> Iterator[Permission]:
        """Yield what a transform job needs that a step starts: model, input and output."""
        yield from self._of_models(step, self.resources.arn("logs", f"log-group:{_TRANSFORMS}*"))
        grants = StepGrants(self.resources, step.name, self.resources.aws.runs_code_as)
        inputs, outputs = self.resources.uris([source]), self.resources.uris([output])
        yield grants.allow("s3:GetObject", self.resources.objects(inputs))
        written = self.resources.objects(self.resources.folders([output]))
        yield grants.allow("s3:PutObject", written)
        yield from grants.listing(self.resources.areas((*inputs, *outputs)))

    def _of_models(self, step: Step, logs: str) -> Iterator[Permission]:
        aws = self.resources.aws
        grants = StepGrants(self.resources, step.name, aws.runs_code_as)
        packages = (self.resources.prefix("packages/"),)
        found = {
            "*": ("*",),
            "images": self.resources.repositories(self._registered_images()),
            "logs": (logs,),
            "inputs": self.resources.objects(packages),
        }
        yield from grants.running(found)
        yield from grants.listing(self.resources.areas(packages))
        if aws.vpc is not None:
            yield from grants.network(aws.vpc.subnets, aws.vpc.security_group_ids)
        if aws.kms_key is not None:
            yield from grants.key(aws.kms_key, job_role.KMS)

    def _on_the_unknown(
        self, grants: StepGrants, step: Step, model: Step | None
    ) -> Iterator[Permission]:
        """Yield actions on resources that only an execution names."""
        unknown = {
            "ecr:BatchGetImage": has_unknown_image(model or step),
            "s3:GetObject": self.resources.reads_unknown(step),
            "s3:PutObject": self.resources.writes_unknown(step),
        }
        yield from (grants.allow(action) for action, is_so in unknown.items() if is_so)

    def _images_of_model(self, model: Step) -> Iterator[str]:
        """Yield the images of a model; of one from the registry, those that are registered here."""
        yield from images_of(model)
        if _is_of_package(model):
            yield from self._registered_images()

    def _registered_images(self) -> Iterator[str]:
        for step in self.steps:
            if step.known is not None and step.known.registers:
                yield from images_of(step)

    def _read_by_model(self, model: Step) -> tuple[str, ...]:
        """Return where the archives of a model lie."""
        if _is_of_package(model):
            return (self.resources.prefix("packages/"),)
        return self.resources.names(model)


def of_keys(grants: StepGrants, step: Step, actions: Iterable[str]) -> Iterator[Permission]:
    """Yield what a role needs of the keys that a step is encrypted with."""
    for key in texts(members(own_arguments(step), "KmsKeyId", "VolumeKmsKeyId")):
        yield from grants.key(key, actions)


def _is_of_package(model: Step) -> bool:
    return bool(list(members(own_arguments(model), "ModelPackageName")))
