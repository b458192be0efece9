"""CodeNeed → BundlePlan: the files of a step's bundle, found; → CodeAsset: its files, read.

`validate` looks for the files and reads the code that it has to understand, no other content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelines.bundle.assets import CodeAsset, digest_bundle
from pipelines.bundle.brought import Brought
from pipelines.bundle.collecting import Collector
from pipelines.bundle.frame import frame
from pipelines.bundle.need import CodeNeed
from pipelines.bundle.project import Project
from pipelines.bundle.trace import Import
from pipelines.diagnostics import Finding, Severity
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.runtime.bundle import BY_TOOLKIT, CODE, BundleFile, Job

_UNREAD = "0" * 32
"""Stands in a bundle's URI for its hash, as long as its files were not read."""


@frozen
class BundlePlan:
    """What belongs into a bundle.

    Args:
        step: the step's name.
        part: the name of the job of the step; empty for its own.
        folder: the URI that its hash will stand below.
        name: what it is called.
        job: its configuration.
        paths: the files of the project that it holds.
    """

    step: str
    part: str
    folder: str
    name: str
    job: Job
    paths: tuple[str, ...]

    @property
    def uri(self) -> str:
        """Its URI, as long as the real one."""
        return f"{self.folder}/{_UNREAD}/{self.name}"

    def read(self, project: Project) -> CodeAsset:
        """Read its files."""
        files = (*code_files(project, self.paths), *frame(self.job))
        members = tuple(sorted(files, key=lambda one: one.path))
        digest = digest_bundle(members)
        uri = f"{self.folder}/{digest[: len(_UNREAD)]}/{self.name}"
        return CodeAsset(self.step, uri, digest, members, self.part)


@frozen
class CodeBundle:
    """A bundle, or the findings that keep it from being made.

    Args:
        step: the step's name.
        part: the name of the job of the step; empty for its own.
        plan: the bundle; None where there are errors.
        findings: what is wrong.
        imports: what its Python code imports that is no file of the project.
        brought: what its Python code adds to its container.
    """

    step: str
    part: str
    plan: BundlePlan | None
    findings: tuple[Finding, ...]
    imports: tuple[Import, ...] = ()
    brought: Brought = Brought()


@frozen
class CodeRequest:
    """A bundle to be made.

    Args:
        step: the step's name.
        need: what belongs into it.
        prefix: the URI that bundles are uploaded under, without a `/` at the end.
        index: package index for requirements in mode index.
        account: what a program gets that asks for the account.
        image: what is known of the image that it runs in; None until the pipeline is started.
        part: the name of the job of the step; empty for its own.
    """

    step: str
    need: CodeNeed
    prefix: str
    index: str | None
    account: JsonObject
    image: JsonObject | None = None
    part: str = ""


def bundle(request: CodeRequest, project: Project) -> CodeBundle:
    """Find the files of a step's bundle."""
    step, need, index = request.step, request.need, request.index
    collector = Collector(project, ("steps", step), request.image)
    collector.collect(need)
    requirements = collector.requirements(need.requirements_file, need.requirements, index)
    config = dict(need.config)
    if collector.shared:
        config["shared"] = dict(sorted(collector.shared.items()))
    if need.account:
        config |= request.account
    if need.vendored is not None:
        config["requirements"] = collector.requirements(need.vendored, (), index)
    found = tuple(collector.findings)
    if any(finding.severity is Severity.ERROR for finding in found):
        return CodeBundle(step, request.part, None, found)
    job = Job(
        step=step,
        job=need.job,
        script=need.script.path if need.script else None,
        command=collector.command,
        program=need.program,
        config=config,
        requirements=requirements,
        distribution=need.distribution,
        model_input=need.model_input,
        outputs=need.outputs,
        image=request.image,
        checkpoints=need.checkpoints,
        tracking=need.tracking,
        source_dir=need.source_dir,
    )
    folder = f"{request.prefix}/{step}"
    paths = tuple(sorted(collector.paths))
    plan = BundlePlan(step, request.part, folder, bundle_name(need), job, paths)
    imports = tuple(collector.imports)
    return CodeBundle(step, request.part, plan, found, imports, collector.brought)


def bundle_name(need: CodeNeed) -> str:
    """Return what a step's bundle is called."""
    return BY_TOOLKIT if need.by_toolkit else "bundle.pyz"


def code_files(project: Project, paths: Iterable[str]) -> Iterator[BundleFile]:
    """Read files of a project as a bundle holds them."""
    for path in paths:
        yield BundleFile(f"{CODE}{path}", project.is_executable(path), project.read(path))
