"""Graph → what its steps are emitted with, looked up on this machine: code, images, data."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from pipelines import programs, runtime
from pipelines.bundle.assets import CodeAsset, DataAsset
from pipelines.bundle.code import BundlePlan, CodeBundle, CodeRequest, bundle
from pipelines.bundle.need import CodeNeed
from pipelines.bundle.project import Project
from pipelines.compile.data import check_data, planned_uris, read_data, root_of
from pipelines.compile.handlers import ServingCode, check_handlers
from pipelines.compile.hosting import check_hosting
from pipelines.compile.imports import StepCode, check_imports
from pipelines.compile.launchers import check_launchers
from pipelines.compile.options import check_options
from pipelines.compile.replaced import check_frameworks
from pipelines.compile.toolkits import check_toolkits
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.sentences import quoted
from pipelines.frozen import frozen
from pipelines.grammar.functions import Value
from pipelines.graph.build import resolver
from pipelines.graph.model import Graph, Node
from pipelines.graph.resolve import UnresolvedError
from pipelines.images import Image, ImageProblem, check_instances, resolve
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import ImageNeed, StepNeeds
from pipelines.spec.model import Aws
from pipelines.spec.references import Template


@frozen
class Supplies:
    """What was looked up for the steps.

    Args:
        images: (step, path of the need) → image.
        code: the bundles of steps, read or yet to be read.
        data: URI of every entry of `data:`; of a local one as long as its content was not read,
            the prefix that its hash will stand below; "" for a file system.
    """

    images: Mapping[tuple[str, Path], Value]
    code: tuple[BundlePlan | CodeAsset, ...]
    data: Mapping[str, Value]

    def code_of(self, step: str) -> dict[str, str]:
        """Return the URIs of a step's bundles, its own under an empty name."""
        return {one.part: one.uri for one in self.code if one.step == step}

    def images_of(self, step: str) -> dict[Path, Value]:
        """Return the images of a step, by the path of the need."""
        return {path: image for (name, path), image in self.images.items() if name == step}


@frozen
class LookedUp:
    """Supplies whose content was not read, and what was not found or does not fit."""

    supplies: Supplies
    plans: tuple[BundlePlan, ...]
    findings: tuple[Finding, ...]


@frozen
class ReadSupplies:
    """Supplies, and the code and the local data whose content was read."""

    supplies: Supplies
    code: tuple[CodeAsset, ...]
    data: tuple[DataAsset, ...]


def look_up(graph: Graph, project: Project) -> LookedUp:
    """Look up what the steps of a graph need, without reading what is only uploaded."""
    found: list[Finding] = []
    known = dict(_images(graph, found))
    jobs = tuple(_jobs(graph, known))
    facts = {(job.node.name, job.part): job.image.facts for job in jobs}
    made = {(one.step, one.part): one for one in find_code(graph, project, found, facts)}
    plans = tuple(one.plan for one in made.values() if one.plan is not None)
    found.extend(_too_old(jobs))
    steps = tuple(_step_code(jobs, made))
    found.extend(check_imports(steps, project))
    found.extend(check_frameworks(steps, project))
    found.extend(check_toolkits(steps))
    found.extend(check_launchers(steps))
    found.extend(check_options(graph, project))
    found.extend(check_handlers(_serving(jobs), project))
    found.extend(check_hosting(graph, known, project))
    uris = {at: one.uri if isinstance(one, Image) else one for at, one in known.items()}
    found.extend(check_data(graph, project))
    found.extend(_placeholder(graph))
    return LookedUp(Supplies(uris, plans, planned_uris(graph)), plans, tuple(found))


def code_of_steps(graph: Graph, project: Project) -> tuple[StepCode, ...]:
    """Return the code of steps whose image is known, each with it; wrong code is left out."""
    jobs = tuple(_jobs(graph, dict(_images(graph, []))))
    facts = {(job.node.name, job.part): job.image.facts for job in jobs}
    made = {(one.step, one.part): one for one in find_code(graph, project, [], facts)}
    return tuple(_step_code(jobs, made))


def read(looked_up: LookedUp, graph: Graph, project: Project) -> ReadSupplies:
    """Read code and local data: their URIs then hold the hashes of their contents."""
    code = tuple(plan.read(project) for plan in looked_up.plans)
    assets = read_data(graph, project)
    planned = looked_up.supplies
    data = {**planned.data, **{name: asset.uri for name, asset in assets.items()}}
    supplies = replace(planned, code=code, data=data)
    return ReadSupplies(supplies, code, tuple(assets.values()))


def find_code(
    graph: Graph,
    project: Project,
    found: list[Finding],
    facts: Mapping[tuple[str, str], JsonObject] = MappingProxyType({}),
) -> Iterator[CodeBundle]:
    """Plan the bundles of every step that has code; `facts` is what they are told of images."""
    aws = graph.spec.aws or Aws()
    account = {"pipeline": graph.spec.pipeline, "aws": aws.given()}
    prefix = f"{root_of(graph)}/code"
    for node in graph.nodes.values():
        for part, need in node.kind.needs(node.name, node.step).jobs.items():
            at = node.name, part
            request = CodeRequest(
                node.name, need.code, prefix, aws.pip_index_url, account, facts.get(at), part
            )
            made = bundle(request, project)
            found.extend(made.findings)
            yield made


@frozen
class _Job:
    """A job of a step whose image is known; `need` and its bundle are None without code."""

    node: Node
    part: str
    needs: StepNeeds
    path: Path
    image: Image

    @property
    def code(self) -> CodeNeed | None:
        found = self.needs.jobs.get(self.part)
        return found.code if found is not None else None

    @property
    def image_name(self) -> str:
        return str(self.needs.images[self.path].name)


def _jobs(graph: Graph, known: Mapping[tuple[str, Path], Image | Value]) -> Iterator[_Job]:
    for node in graph.nodes.values():
        needs = node.kind.needs(node.name, node.step)
        paths = dict(zip(("",), needs.images, strict=False))
        paths |= {part: need.image for part, need in needs.jobs.items()}
        for part, path in paths.items():
            image = known.get((node.name, path))
            if isinstance(image, Image):
                yield _Job(node, part, needs, path, image)


def _step_code(
    jobs: Iterable[_Job], made: Mapping[tuple[str, str], CodeBundle]
) -> Iterator[StepCode]:
    """Yield the code of steps, each with the image that it runs in."""
    for job in jobs:
        code, bundled = job.code, made.get((job.node.name, job.part))
        if code is None or bundled is None or bundled.plan is None:
            continue
        path, plan = job.node.path, bundled.plan
        yield StepCode(
            path, job.image, job.image_name, code, plan, bundled.imports, bundled.brought
        )


def _serving(jobs: Iterable[_Job]) -> Iterator[ServingCode]:
    """Yield the code that a model server calls."""
    for job in jobs:
        code = job.code
        if code is not None and code.entry is not None:
            path = job.node.path
            yield ServingCode(path, job.image, job.image_name, code.entry, code.config)


def _too_old(jobs: Iterable[_Job]) -> Iterator[Finding]:
    """Find images whose Python is older than what runs in them needs, the highest need first."""
    for job in sorted(jobs, key=_floor, reverse=True):
        python, floor = job.image.python, _floor(job)
        if python is None or tuple(map(int, python.split("."))) >= floor:
            continue
        needed = "{}.{}".format(*floor)
        message = (
            f"`{job.image_name}` has Python {python}; `kind: {job.node.step.kind}` needs {needed}"
        )
        place = (*job.node.path, *job.path)
        yield Finding("SP407", message, place, help="name an image with a newer Python")


def _floor(job: _Job) -> tuple[int, int]:
    """Return the oldest Python that a job's code runs on."""
    code = job.code
    if code is None:
        return (0, 0)
    return runtime.PYTHON if code.program is None else programs.declaration(code.program).python


def _images(graph: Graph, found: list[Finding]) -> Iterator[tuple[tuple[str, Path], Image | Value]]:
    """Resolve every image that a step names, by step and the path of its key."""
    aws = graph.spec.aws or Aws()
    for node in graph.nodes.values():
        for path, need in node.kind.needs(node.name, node.step).images.items():
            at = (node.name, path)
            match need.name:
                case None:
                    found.extend(_no_image(graph, node, path))
                case Template() as name:
                    found.extend(_data_as_image(name, (*node.path, *path), graph.spec.data))
                    try:
                        yield at, resolver(graph, {}).value(name)
                    except UnresolvedError:
                        continue  # found here, or while the graph was built
                case str(name):
                    image, problems = _image(name, need, aws.region)
                    found.extend(
                        Finding(p.code, p.message, (*node.path, *path), "value", p.help, p.severity)
                        for p in (*problems, *_registry_problems(name, need, node, graph.spec.aws))
                    )
                    yield at, image


def _no_image(graph: Graph, node: Node, path: Path) -> Iterator[Finding]:
    if not graph.unread & {("defaults",), ("defaults", "image")}:
        help_text = "add `image: sklearn-1.9-cpu` here or under `defaults:`"
        message = f"step `{node.name}` lacks the key `{path[-1]}`"
        yield Finding("SP120", message, node.path, "key", help_text)


def _data_as_image(name: Template, path: Path, known: Container[str]) -> Iterator[Finding]:
    for reference in name.references:
        if reference.root == "data" and reference.name in known:
            help_text = "write the name of an image, its URI, or a reference to a parameter"
            yield Finding(
                "SP203",
                f"`{reference}` is data, not an image",
                path,
                help=help_text,
                within=(reference.start, reference.end),
            )


def _registry_problems(
    name: str, need: ImageNeed, node: Node, aws: Aws | None
) -> Iterator[ImageProblem]:
    """Yield what is wrong with the image's registry; the region may be the default by oversight."""
    if aws is None or "/" not in name:
        return
    from pipelines.images.regions import check_region  # noqa: PLC0415 - most images are short names
    from pipelines.steptypes.places import value_at  # noqa: PLC0415

    extra = getattr(node.step, "extra", {})
    if value_at(extra, "AlgorithmSpecification.TrainingImageConfig") is None:
        is_given = "region" in aws.model_fields_set
        for one in check_region(name, aws.region, need.scope):
            yield one if is_given else replace(one, severity=Severity.WARNING)


def _image(name: str, need: ImageNeed, region: str) -> tuple[Image, tuple[ImageProblem, ...]]:
    instance_type = need.instance_type if isinstance(need.instance_type, str) else None
    image = resolve(name, region, instance_type, need.scope)
    if isinstance(image, ImageProblem):
        return Image(name), (image,)
    others = (one for one in need.runs_on if isinstance(one, str))
    return image, tuple(check_instances(image, instance_type, others))


def _placeholder(graph: Graph) -> Iterator[Finding]:
    if graph.spec.aws is None and ("aws",) not in graph.unread:
        yield Finding(
            "SP306",
            "there is no `aws:`: compiled for a placeholder account",
            ("pipeline",),
            at="key",
            help="add `aws:` with role and bucket before `upsert`",
            severity=Severity.WARNING,
        )
    given = graph.spec.aws.model_fields_set if graph.spec.aws is not None else {*_NAMED}
    lacking = [key for key in _NAMED if key not in given and ("aws", key) not in graph.unread]
    if lacking:
        message = f"`aws:` has no {quoted(lacking, 'and no')}: compiled for a placeholder account"
        advice = f"add {quoted(lacking, 'and')} before `upsert`"
        yield Finding("SP306", message, ("aws",), "key", advice, severity=Severity.WARNING)


_NAMED = ("role", "bucket")
"""Keys of `aws:` that have a placeholder where they are not given."""
