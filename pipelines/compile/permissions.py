"""A compiled pipeline → the IAM permissions that its roles need.

The role of the pipeline starts the steps; a job runs with the role that its request names. What
starting a step takes is declared on its Type and derived here; what a job needs whatever it does,
in `compile/job_permissions.py`; what a built-in program calls, in `compile/program_permissions.py`.
On what: `compile/resources.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pipelines.compile.grants import LISTING, Permission, StepGrants, on_key, passed_to
from pipelines.compile.job_permissions import JobPermissions, of_keys
from pipelines.compile.model import Compiled
from pipelines.compile.program_permissions import ProgramPermissions
from pipelines.compile.resources import Resources, own_arguments, roles_in
from pipelines.definition.needs import has_unknown_image, images_of
from pipelines.definition.steps import Definition, Step, take_apart
from pipelines.spec.model import Aws
from pipelines.steptypes import job_role
from pipelines.steptypes.places import below

_PASSING = "iam:PassRole"
_ENCRYPTED = {
    "s3:GetObject": ("kms:Decrypt",),
    "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey"),
}
"""What S3 asks of its caller for an object that is encrypted with a KMS key (S3 user guide,
"Using server-side encryption with AWS KMS keys"; uploads in parts decrypt, too)."""


def permissions(compiled: Compiled, aws: Aws) -> tuple[Permission, ...]:
    """Return what the roles of a pipeline need, in the order of its definitions' steps."""
    whole = [take_apart(json.loads(text)) for text in compiled.definitions.values()]
    found = [
        each
        for definition in whole
        for step in definition.steps
        for permission in _Derivation(compiled, aws, definition, whole).of(step)
        for each in (permission, *_of_encrypted(permission, aws))
    ]
    return tuple(dict.fromkeys(found))


def _of_encrypted(permission: Permission, aws: Aws) -> Iterator[Permission]:
    """Yield what reading or writing in the bucket needs of its key besides."""
    own = f":s3:::{aws.bucket}/"
    if aws.kms_key and any(own in resource for resource in permission.resources):
        resource, by_alias = on_key(aws, aws.kms_key)
        for action in _ENCRYPTED.get(permission.action, ()):
            yield Permission(permission.role, permission.step, action, (resource,), by_alias)


class _Derivation:
    def __init__(
        self, compiled: Compiled, aws: Aws, definition: Definition, whole: Iterable[Definition]
    ) -> None:
        self._aws = aws
        self._resources = Resources(aws, compiled.pipeline, definition)
        steps = tuple(step for each in whole for step in each.steps)
        self._jobs = JobPermissions(self._resources, steps)
        configured = {asset.uri: asset.job for asset in compiled.code}
        self._programs = ProgramPermissions(self._resources, configured, self._jobs)

    def of(self, step: Step) -> Iterator[Permission]:
        """Yield what a step needs: of the pipeline's role, then of the role of its job."""
        known = step.known
        if known is None:
            return
        grants = StepGrants(self._resources, step.name, self._aws.role)
        for action, nouns in known.permissions.items():
            if action == LISTING:
                uris = [uri for noun in nouns for uri in self._uris(step, noun)]
                yield from grants.listing(self._resources.areas(uris))
                continue
            resources = tuple(one for noun in nouns for one in self._of_type(step, noun))
            conditions = passed_to(known.passes_to) if action == _PASSING else ()
            if resources or nouns != ("images",) or has_unknown_image(step):
                yield grants.allow(action, resources, conditions)
        yield from self._reports(grants, step)
        yield from of_keys(grants, step, job_role.CALLER_KMS)
        for role in self._job_roles(step):
            yield from self._jobs.of(step, role)
            yield from self._programs.of(step, role)

    def _job_roles(self, step: Step) -> Iterator[str]:
        """Yield the roles that the job of a step, or the model that it runs, has; each once."""
        places = step.known.job_roles if step.known is not None else ()
        roles = [role for place in places for _, role in below(step.arguments, place)]
        model = self._resources.model_of(step)
        roles += roles_in(own_arguments(model)) if model is not None else ()
        yield from dict.fromkeys(role for role in roles if isinstance(role, str))

    def _of_type(self, step: Step, noun: str) -> Iterator[str]:
        """Yield the ARNs of what a Type declares."""
        match noun:
            case "*":
                yield noun
            case "role":
                yield from dict.fromkeys(roles_in(own_arguments(step)))
            case "images":
                yield from self._resources.repositories(images_of(step))
            case "named" | "cleaned":
                yield from self._resources.objects(self._uris(step, noun))
            case _ if noun.startswith("="):
                yield from self._resources.named_by(step.whole.get(noun[1:]))
            case _ if ":" in noun:
                yield self._resources.arn(*noun.split(":", 1))
            case _:
                yield from self._resources.of_noun(step, noun)

    def _uris(self, step: Step, noun: str) -> Iterator[str]:
        """Yield the URIs that a step names, or that the steps write that it names."""
        if noun == "named":
            yield from self._resources.names(step)
            return
        for place in step.known.step_names if step.known is not None else ():
            for _, name in below(step.arguments, place):
                named = self._resources.definition.named.get(str(name))
                yield from self._resources.writes(named) if named is not None else ()

    def _reports(self, grants: StepGrants, step: Step) -> Iterator[Permission]:
        """Yield what it takes to read a value of a JSON file: the service does as the pipeline."""
        for name in dict.fromkeys(get.target.name for get in step.gets if get.of_file):
            maker = self._resources.definition.named.get(name)
            uris = self._resources.writes(maker) if maker is not None else ()
            if uris:
                yield grants.allow("s3:GetObject", self._resources.objects(uris))
