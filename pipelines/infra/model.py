"""What templates are made of: specs on their way through environments, and their stacks."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from pipelines.compile.model import Compiled
from pipelines.frozen import frozen
from pipelines.infra.template import Template
from pipelines.infra.tenants import Tenant
from pipelines.spec.model import Aws, PipelineSpec

SHARED: Final = "pipelines-shared"
"""The stack that the pipelines of an account and region share."""

ARTIFACTS: Final = "artifacts"
REVIEWS: Final = "reviews"
SOURCE: Final = "source"
"""The purposes of our own buckets: artifacts of pushes, of pull requests, uploads of source."""

TOOL: Final = "ci/tool"
"""The prefix of the bucket that the tool's wheels lie under."""

_DIGEST_LENGTH: Final = 16
_WORDS: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")
_MARK_LENGTH: Final = 4


def logical_name(label: str) -> str:
    """Write a name as ids in a template are written: `eu-prod` is `EuProd`."""
    return "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", label))


def logical_id(noun: str, name: str) -> str:
    """Return the id of one of several resources of a template, by its own name.

    It does not depend on the others: one that is added or removed renames none. A name in whose id
    the words could not be told apart gets a digest.
    """
    plain = _WORDS.fullmatch(name) is not None
    mark = "" if plain else hashlib.sha256(name.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{noun}{logical_name(name)}{mark}"


@frozen
class Place:
    """Where a stack is: one account, one region of it."""

    account: str
    region: str
    partition: str

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def sagemaker(self, resource: str) -> tuple[str, ...]:
        """Return the ARNs that a policy names a resource of SageMaker's by.

        The service answers with names in small letters (`pipeline/abalonepipeline`); which it asks
        IAM about is not known, so both stand.
        """
        names = dict.fromkeys((resource, resource.lower()))
        return tuple(self.arn("sagemaker", name) for name in names)

    def role(self, name: str) -> str:
        """Return the ARN of a role of this account."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def bucket(self, purpose: str) -> str:
        """Name one of the tool's own buckets here; the account's number makes it unique."""
        return f"pipelines-{purpose}-{self.account}-{self.region}"

    def s3(self, path: str) -> str:
        """Return the ARN of a bucket, or of objects: `bucket/prefix/*`."""
        return f"arn:{self.partition}:s3:::{path}"


@frozen
class Environment:
    """A pipeline as it is in one environment.

    Args:
        name: under `environments:`; None for the file as it is.
        spec: the spec, overlaid.
        compiled: what was compiled of it.
    """

    name: str | None
    spec: PipelineSpec
    compiled: Compiled

    @property
    def aws(self) -> Aws:
        """The account."""
        return self.spec.aws or Aws()

    @property
    def place(self) -> Place:
        """The account of its role, and its region."""
        _, partition, _, _, account, *_ = self.aws.role.split(":")
        return Place(account, self.aws.region, partition)

    @property
    def prefix(self) -> str:
        """What its stack and the roles of the tool's own begin with."""
        pipeline = self.compiled.pipeline
        tells = self.name is None or pipeline.endswith(f"-{self.name}")
        return pipeline if tells else f"{pipeline}-{self.name}"

    @property
    def label(self) -> str:
        """What people call it: its name, or `default`."""
        return self.name or "default"

    @property
    def logical(self) -> str:
        """What ids of its resources in a template begin with."""
        return logical_name(self.label)

    @property
    def stack(self) -> str:
        """The name of its stack."""
        return f"pipelines-{self.prefix}"

    def role(self, name: str) -> str:
        """Return the ARN of one of the tool's own roles of this environment."""
        return self.place.role(f"{self.prefix}-{name}")


@frozen
class Delivery:
    """One spec and the environments that a push takes it through, in order.

    Args:
        file: the spec, relative to the repository's root.
        environments: the first one's account holds the CI.
        push: patterns of the paths whose push starts it.
        review: those whose pull request is checked.
        trial: options of a run on samples that the builds do; none for no such run.
    """

    file: str
    environments: tuple[Environment, ...]
    push: tuple[str, ...]
    review: tuple[str, ...]
    trial: tuple[str, ...] = ()

    @property
    def first(self) -> Environment:
        """The environment in whose account the CI is."""
        return self.environments[0]

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.first.compiled.pipeline

    @property
    def folder(self) -> str:
        """The project's folder, `.` for the repository's root."""
        return self.file.rpartition("/")[0] or "."


@frozen
class Options:
    """What the command line says.

    Args:
        source: `connection`, or `s3` where there is none.
        connection: ARN of a connection that exists; None to make one.
        repository: `owner/name`; None where it is a parameter without default.
        provider: who hosts it, as CodeConnections calls it.
        branch: the branch whose pushes are released.
        version: of the tool.
        digest: of the tool's content, which its wheel is found under.
        runner: what runs the stages: `codepipeline`, `github`, `gitlab`.
        host: where the repository is hosted, where that is not the runner's own.
        command: what generates the same files again, in the repository's root.
    """

    source: str = "connection"
    connection: str | None = None
    repository: str | None = None
    provider: str = "GitHub"
    branch: str = "main"
    version: str = "0"
    digest: str = "0" * 64
    runner: str = "codepipeline"
    host: str | None = None
    command: str = "python -m pipelines ci init"

    @property
    def issuer(self) -> str:
        """Who issues the tokens that jobs of GitHub or GitLab show, without `https://`."""
        if self.runner == "github":
            return "token.actions.githubusercontent.com"
        return self.host or "gitlab.com"

    @property
    def wheel(self) -> str:
        """The file name of the tool's wheel."""
        return f"sagemaker_pipelines_as_code-{self.version}-py3-none-any.whl"

    @property
    def wheel_key(self) -> str:
        """The key of the tool's wheel in a bucket, by its content."""
        return f"{TOOL}/{self.digest[:_DIGEST_LENGTH]}/{self.wheel}"


@frozen
class Stack:
    """A stack, and the file of its template.

    Args:
        name: the stack's name.
        place: where it goes.
        file: the template's file name.
        template: what it holds.
        specs: the specs that it was made of, relative to the repository's root.
        bucket: a bucket of a spec there, which the shared stack makes.
        label: the environment; None for what all of them share.
        tenant: of a shared stack, what this repository needs of it.
    """

    name: str
    place: Place
    file: str
    template: Template
    specs: tuple[str, ...]
    bucket: str
    label: str | None = None
    tenant: Tenant | None = None
