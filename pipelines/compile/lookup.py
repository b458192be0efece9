"""Graph → what is looked up for it on this machine: bundles of code, images, local data."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.bundle.assets import CodeAsset
from pipelines.bundle.code import CodeRequest, bundle
from pipelines.bundle.project import Project
from pipelines.compile.data import find_local
from pipelines.diagnostics import Finding, Path
from pipelines.grammar.functions import Value
from pipelines.graph.build import resolver
from pipelines.graph.model import Graph
from pipelines.graph.resolve import UnresolvedError
from pipelines.images.names import ImageProblem, check_instance, resolve
from pipelines.kinds.base.contract import ImageNeed
from pipelines.spec.model import Aws, DataSource
from pipelines.spec.references import Template


def prefix_of(graph: Graph) -> str:
    """Say below which URI a pipeline keeps everything."""
    aws = graph.spec.aws or Aws()
    return f"s3://{aws.bucket}/{graph.spec.pipeline}"


def local_sources(graph: Graph) -> dict[str, DataSource]:
    """Give the entries of `data:` that lie on this machine."""
    return {name: source for name, source in graph.spec.data.items() if source.path is not None}


def bundles(graph: Graph, project: Project, found: list[Finding]) -> Iterator[CodeAsset]:
    """Make the bundle of every step that has code."""
    aws = graph.spec.aws or Aws()
    account = {"pipeline": graph.spec.pipeline, "aws": aws.model_dump(exclude_none=True)}
    for node in graph.nodes.values():
        need = node.kind.needs(node.name, node.step).code
        if need is None:
            continue
        prefix = f"{prefix_of(graph)}/code"
        request = CodeRequest(node.name, need, prefix, aws.pip_index_url, account)
        made = bundle(request, project)
        found.extend(made.findings)
        if made.asset is not None:
            yield made.asset


def images(graph: Graph, found: list[Finding]) -> Iterator[tuple[tuple[str, Path], Value]]:
    """Resolve every image that a step names, by step and the path of its key."""
    aws = graph.spec.aws or Aws()
    for node in graph.nodes.values():
        for path, need in node.kind.needs(node.name, node.step).images.items():
            if need.name is None:
                if graph.unread & {("defaults",), ("defaults", "image")}:
                    continue
                help_text = "add `image: sklearn-1.9-cpu` here or under `defaults:`"
                message = f"step `{node.name}` lacks the key `{path[-1]}`"
                found.append(Finding("SP120", message, node.path, "key", help_text))
            elif isinstance(need.name, Template):
                found.extend(_data_as_image(need.name, (*node.path, *path)))
                try:
                    yield (node.name, path), resolver(graph, {}).value(need.name)
                except UnresolvedError:
                    continue  # found here, or while the graph was built
            else:
                image, problems = _image(need.name, need, aws.region)
                found.extend(
                    Finding(p.code, p.message, (*node.path, *path), "value", p.help, p.severity)
                    for p in problems
                )
                yield (node.name, path), image


def _data_as_image(name: Template, path: Path) -> Iterator[Finding]:
    for reference in name.references:
        if reference.root == "data":
            help_text = "write the name of an image, its URI, or a reference to a parameter"
            yield Finding(
                "SP203",
                f"`{reference}` is data, no image",
                path,
                help=help_text,
                within=(reference.start, reference.end),
            )


def _image(name: str, need: ImageNeed, region: str) -> tuple[str, tuple[ImageProblem, ...]]:
    instance_type = need.instance_type if isinstance(need.instance_type, str) else None
    image = resolve(name, region, instance_type, need.scope)
    if isinstance(image, ImageProblem):
        return name, (image,)
    odd = check_instance(image, instance_type)
    return image.uri, (odd,) if odd else ()


def missing_data(graph: Graph, project: Project) -> Iterator[Finding]:
    """Find local data that is not there."""
    for name, source in local_sources(graph).items():
        yield from find_local(name, source, project)
