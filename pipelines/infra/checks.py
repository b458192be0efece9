"""What keeps a spec from being delivered, though it can be compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.document import Document
from pipelines.frozen import frozen
from pipelines.graph.model import Graph
from pipelines.infra.model import Environment, Options, logical_name
from pipelines.infra.regions import BUILD, CONNECTION, has
from pipelines.json_types import Json
from pipelines.kinds.deployment import DeploymentStep
from pipelines.spec.names import standing_alone
from pipelines.spec.starts import starts

_LONGEST_ROLE: Final = 64
_CODEPIPELINE_SUFFIX: Final = "-ci-review-validate"
_HOSTED_SUFFIX: Final = "-ci-release"
"""What the longest name of a role of the tool's own ends with."""
_NAME: Final = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9])*")
_NEEDED: Final = ("role", "bucket")


@frozen
class Candidate:
    """An environment that may be delivered to, and the document that it was read from.

    Args:
        environment: the environment.
        graph: its graph.
        document: the spec, overlaid.
        is_first: whether its account holds the CI.
    """

    environment: Environment
    graph: Graph
    document: Document
    is_first: bool


def lacking(aws: Json, name: str | None, path: Path) -> Iterator[Finding]:
    """Find that an environment names no role or no bucket."""
    given = aws if isinstance(aws, dict) else {}
    if name is not None and not _NAME.fullmatch(name):
        yield Finding(
            "SP604",
            f"`{name}` cannot be a part of the names of stacks and roles",
            path,
            "key",
            "use letters, digits and single hyphens",
        )
    for key in _NEEDED:
        if key not in given:
            where = "the spec" if name is None else f"the environment `{name}`"
            yield Finding(
                "SP601",
                f"{where} has no `aws.{key}`, so nothing can be set up for it",
                path or ("aws",),
                "key",
                f"add `{key}:` under its `aws:`, or choose environments with `--env`",
            )


def same_stage(names: Iterable[str | None]) -> Iterator[Finding]:
    """Find that a stage of the CodePipeline would have the name of another one."""
    stages = {logical_name(stage): f"the stage `{stage}`" for stage in ("Source", "Checks")}
    for name in names:
        label = name or "default"
        other = stages.setdefault(logical_name(label), f"the environment `{label}`")
        if other != f"the environment `{label}`" and name is not None:
            message = f"the stage of the environment `{name}` cannot be told from {other}"
            yield Finding("SP602", message, ("environments", name), "key", "give it another name")


def of_one(candidate: Candidate, options: Options) -> Iterator[Finding]:
    """Find what is wrong with one environment."""
    yield from _region(candidate, options)
    yield from _serverless(candidate)
    yield from _lengths(candidate, options)


def unversioned(candidate: Candidate, ignored: Iterable[str], project: str) -> Iterator[Finding]:
    """Find what is read here and is not in the repository: no build has it.

    Args:
        candidate: the environment.
        ignored: paths, relative to the repository's root, that git leaves out.
        project: the spec's folder, relative to it.
    """
    prefix = "" if project == "." else f"{project}/"
    sources = candidate.environment.spec.data.items()
    data = {prefix + (source.path or "").rstrip("/"): name for name, source in sources}
    for path in sorted(ignored):
        is_data = path in data
        yield Finding(
            "SP605",
            f"git ignores `{path}`, so no build will have it",
            ("data", data[path]) if is_data else ("steps",),
            "key",
            "name an `s3://` prefix, in an environment say, or remove it from .gitignore"
            if is_data
            else "remove it from .gitignore",
            Severity.WARNING,
        )


def of_all(candidates: Iterable[Candidate]) -> Iterator[list[Finding]]:
    """Find, for each environment of all specs, what an earlier one makes too."""
    owners: dict[tuple[str, str], Environment] = {}
    for one in candidates:
        environment = one.environment
        found: list[Finding] = []
        for what, name, path in _made(environment):
            owner = owners.setdefault((what, name), environment)
            if owner is not environment:
                found.append(_twice(what, name, path, owner))
                if path == ("pipeline",):
                    break
        found.extend(_moved(environment, owners))
        yield found


def _made(environment: Environment) -> Iterator[tuple[str, str, Path]]:
    """Yield what an environment makes that is there once: noun, name, key.

    Where two have the first of these in common, the others say no more.
    """
    place, aws = environment.place, environment.aws
    region = f"{place.account} ({place.region})"
    yield f"pipeline in {region}", environment.compiled.pipeline, ("pipeline",)
    yield "template", f"{environment.prefix}.yaml", ("pipeline",)
    for name in environment.compiled.definitions:
        yield f"pipeline in {region}", name, _step_of(environment, name) or ("pipeline",)
    for one in starts(environment.spec):
        path = ("steps", one.key, "schedule") if one.of_step else ("schedule", one.key)
        yield f"schedule in {region}", one.name, path
    for key in ("role", "job_role", "deploy_role"):
        arn = getattr(aws, key)
        if arn is not None:
            yield f"role in {place.account}", arn.rpartition("/")[2], ("aws", key)


def _step_of(environment: Environment, pipeline: str) -> Path | None:
    """Return the step that a schedule starts in this pipeline, alone; None where none does."""
    for name, step in environment.spec.steps.items():
        is_scheduled = getattr(step, "schedule", None) is not None
        if is_scheduled and pipeline == standing_alone(environment.compiled.pipeline, name):
            return ("steps", name)
    return None


def _twice(what: str, name: str, path: Path, owner: Environment) -> Finding:
    other = f"`{owner.compiled.pipeline}` in the environment `{owner.label}`"
    return Finding(
        "SP602",
        f"the {what} `{name}` is that of {other}, too",
        path,
        "key" if path[0] in {"schedule", "steps"} else "value",
        "give it another name, or choose environments with `--env`",
    )


def _moved(
    environment: Environment, owners: dict[tuple[str, str], Environment]
) -> Iterator[Finding]:
    """Find that a bucket is to be in two places: its name is taken once, in all accounts."""
    bucket, place = environment.aws.bucket, environment.place
    owner = owners.setdefault(("bucket", bucket), environment)
    if owner.place != place:
        yield Finding(
            "SP602",
            f"the bucket `{bucket}` is in {place.account} ({place.region}) here, and in"
            f" {owner.place.account} ({owner.place.region}) for `{owner.label}`",
            ("aws", "bucket"),
            "value",
            "name another bucket: a bucket is in one account and region",
        )


def _region(candidate: Candidate, options: Options) -> Iterator[Finding]:
    """Find that a region lacks what the CI is made of."""
    region, path = candidate.environment.aws.region, ("aws", "region")
    if not candidate.is_first or options.runner != "codepipeline":
        return
    if not has(BUILD, region):
        yield Finding(
            "SP603",
            f"CloudFormation makes no CodeBuild projects in {region}",
            path,
            "value",
            "put the first environment into another region, with `--env` in another order",
        )
    elif options.source == "connection" and not has(CONNECTION, region):
        yield Finding(
            "SP603",
            f"there are no connections to a repository in {region}",
            path,
            "value",
            "add `--source s3`: the pipeline starts when source.zip is uploaded",
        )


def _serverless(candidate: Candidate) -> Iterator[Finding]:
    place = candidate.environment.place
    if place.partition == "aws":
        return
    for node in candidate.graph.nodes.values():
        step = node.step
        if isinstance(step, DeploymentStep) and step.mode == "serverless":
            yield Finding(
                "SP603",
                f"there are no serverless endpoints in {place.region}",
                (*node.path, "serverless"),
                "key",
                "write `realtime:` with an instance type",
            )


def _lengths(candidate: Candidate, options: Options) -> Iterator[Finding]:
    environment = candidate.environment
    runs_here = options.runner == "codepipeline" and candidate.is_first
    longest = f"{environment.prefix}{_CODEPIPELINE_SUFFIX if runs_here else _HOSTED_SUFFIX}"
    if len(longest) > _LONGEST_ROLE:
        yield Finding(
            "SP604",
            f"`{longest}` would be the name of a role, and has {len(longest)} characters;"
            f" IAM allows {_LONGEST_ROLE}",
            ("pipeline",),
            "value",
            f"shorten the pipeline's name by {len(longest) - _LONGEST_ROLE} characters",
        )
    for key in ("role", "job_role", "deploy_role"):
        name = (getattr(environment.aws, key) or "").rpartition("/")[2]
        if len(name) > _LONGEST_ROLE:
            message = f"a role's name has at most {_LONGEST_ROLE} characters; this has {len(name)}"
            yield Finding("SP604", message, ("aws", key), "value", "shorten it")
