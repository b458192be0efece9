"""Deployments, against the images that their group registers and against each other's exclusions.

What the service refuses is an error; what it does not say, or what only costs, is a warning. Each
names its source. An image that is not known, or a group of others', is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pipelines.bundle.project import Project
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.frozen import frozen
from pipelines.grammar.functions import Value
from pipelines.graph.model import Graph, Node
from pipelines.images import Image, check_instance
from pipelines.images.instances import architecture_of, is_neuron
from pipelines.spec.references import Template

_EXCLUDED, _UNFIT = "SP420", "SP404"
_SERVERLESS = "(SageMaker developer guide, serverless endpoints)"
_GUARDRAILS = "(SageMaker developer guide, deployment guardrails)"
_INVOCATION = "(SageMaker developer guide, hosting FAQs and InvokeEndpoint)"
_BOUNDS = "(RegisterScalableTarget in the Application Auto Scaling API reference)"
_INSTANCES = "use `realtime:` or `asynchronous:`"
_SERVERLESS_BYTES, _SURE_BYTES, _REALTIME_BYTES = 4 << 20, 6 << 20, 25 << 20
_NOT_SERVERLESS: Final = ("cn-", "us-gov-", "us-iso")


_UPDATED: Final = ("asynchronous", "realtime")
"""The modes whose updates may move requests in steps."""

_SCALED: Final = {
    "asynchronous": "initial_instance_count",
    "realtime": "initial_instance_count",
    "serverless": "provisioned_concurrency",
}
"""The key of a mode that says how many there are before scaling changes it."""


def check_hosting(
    graph: Graph, images: Mapping[tuple[str, Path], Image | Value], project: Project
) -> Iterator[Finding]:
    """Find deployments that the service would refuse, or whose models could not run."""
    for node in graph.nodes.values():
        if node.spec.kind == "deployment":
            yield from _Deployment(graph, node, tuple(_served(graph, node, images))).check(project)


def _served(
    graph: Graph, node: Node, images: Mapping[tuple[str, Path], Image | Value]
) -> Iterator[tuple[str, Image]]:
    """Yield name and image of the registrations of a deployment's group."""
    group = _named(graph, node.step.group)
    for other in graph.nodes.values():
        if other.spec.kind != "registration" or _named(graph, other.step.group) != group:
            continue
        image = next((one for at, one in images.items() if at == (other.name, _IMAGE)), None)
        if isinstance(image, Image):
            yield str(other.step.serving.image), image


_IMAGE: Path = ("serving", "image")


def _named(graph: Graph, group: Any) -> str:
    """Return the text of a group, that of its registration where it refers to one."""
    if isinstance(group, Template) and group.only is not None and group.only.root == "steps":
        node = graph.nodes.get(group.only.name)
        if node is not None and node.spec.kind == "registration":
            return str(node.step.group)
    return str(group)


@frozen
class _Deployment:
    """One deployment, with names and images of what its group registers."""

    graph: Graph
    node: Node
    images: tuple[tuple[str, Image], ...]

    def check(self, project: Project) -> Iterator[Finding]:
        """Find what does not fit."""
        mode = self.node.step.mode
        block = getattr(self.node.step, mode)
        if mode == "serverless":
            yield from self._serverless()
        else:
            yield from self._types(mode, block.instance_types)
        if mode in _UPDATED:
            yield from self._rollout(mode, block)
        if mode in _SCALED:
            yield from self._bounds(mode, block)
        if mode == "realtime":
            yield from self._realtime(block)
        yield from self._sample(mode, project)

    def _serverless(self) -> Iterator[Finding]:
        aws = self.graph.spec.aws
        if aws is not None and aws.region.startswith(_NOT_SERVERLESS):
            message = f"there are no serverless endpoints in `{aws.region}`"
            yield self._find(message, f"{_INSTANCES} {_SERVERLESS}", ("serverless",), warns=True)
        for name, image in self.images:
            if image.accelerator == "gpu":
                message = f"a serverless endpoint has no GPU, and `{name}` is built for one"
                advice = f"register with a CPU image, or {_INSTANCES} {_SERVERLESS}"
                yield self._find(message, advice, ("serverless",))
            elif "/" in image.uri and ".dkr.ecr." not in image.uri:
                message = f"a serverless endpoint takes images of ECR alone, and `{name}` is not"
                advice = f"push it to ECR, or {_INSTANCES} {_SERVERLESS}"
                yield self._find(message, advice, ("serverless",))

    def _types(self, mode: str, types: tuple[str, ...]) -> Iterator[Finding]:
        for name, image in self.images:
            for number, instance_type in enumerate(types):
                several: Path = (number,) if len(types) > 1 else ()
                at: Path = (mode, "instance_type", *several)
                found = _unfit(name, image, instance_type)
                if found is not None:
                    yield Finding(_UNFIT, found[0], (*self.node.path, *at), help=found[1])
                    break
                odd = check_instance(image, instance_type)
                if odd is not None:
                    place = (*self.node.path, *at)
                    yield Finding(odd.code, odd.message, place, "value", odd.help, odd.severity)
                    break

    def _rollout(self, mode: str, block: Any) -> Iterator[Finding]:
        if block.rollout is None:
            return
        if any(one.startswith("ml.inf1.") for one in block.instance_types):
            message = "an update of `ml.inf1` instances takes no `rollout`"
            advice = f"remove it, or use another instance type {_GUARDRAILS}"
            yield self._find(message, advice, (mode, "rollout"))

    def _bounds(self, mode: str, block: Any) -> Iterator[Finding]:
        """Find that scaling would at once change how many there are to begin with."""
        key, scaling = _SCALED[mode], block.autoscaling
        count = getattr(block, key)
        if scaling is None or scaling.min <= count <= scaling.max:
            return
        bound = "min" if count < scaling.min else "max"
        limit = getattr(scaling, bound)
        order = "less" if bound == "min" else "more"
        message = f"`{key}` is {count}, {order} than `autoscaling.{bound}`, {limit}"
        advice = f"write {limit}: scaling would change it at once {_BOUNDS}"
        given = key in block.model_fields_set
        at: Path = (mode, key) if given else (mode, "autoscaling", bound)
        yield self._find(message, advice, at, warns=True)

    def _realtime(self, block: Any) -> Iterator[Finding]:
        scaling = block.autoscaling
        if (
            scaling is not None
            and scaling.invocations_per_instance
            and len(block.instance_types) > 1
        ):
            message = "`invocations_per_instance` is one number for instance types of several sizes"
            advice = "name types that are about as fast, or use `concurrent_requests_per_instance`"
            at = ("realtime", "autoscaling", "invocations_per_instance")
            yield self._find(message, advice, at, warns=True)
        if block.shadow and block.rollout is not None and block.rollout.type == "rolling":
            message = "a rolling update is for one variant, and `shadow` adds another one"
            advice = f"use canary or linear, or remove `shadow` {_GUARDRAILS}"
            yield self._find(message, advice, ("realtime", "rollout", "type"))

    def _sample(self, mode: str, project: Project) -> Iterator[Finding]:
        sample = self.node.step.sample
        if sample is None or not project.is_file(sample.file):
            return
        size = len(project.read(sample.file))
        most = {"serverless": _SERVERLESS_BYTES, "realtime": _REALTIME_BYTES}.get(mode)
        if most is not None and size > most:
            source = _SERVERLESS if mode == "serverless" else _INVOCATION
            message = f"`{sample.file}` has {size} bytes; the endpoint takes at most {most}"
            advice = f"send less, or use `asynchronous:` {source}"
            yield self._find(message, advice, ("sample",))
        elif mode == "realtime" and size > _SURE_BYTES:
            message = f"`{sample.file}` has {size} bytes; InvokeEndpoint may refuse more than 6 MB"
            advice = f"send less, or use `asynchronous:` {_INVOCATION}"
            yield self._find(message, advice, ("sample",), warns=True)

    def _find(self, message: str, advice: str, at: Path, *, warns: bool = False) -> Finding:
        severity = Severity.WARNING if warns else Severity.ERROR
        place = (*self.node.path, *at)
        return Finding(_EXCLUDED, message, place, "key", advice, severity=severity)


def _unfit(name: str, image: Image, instance_type: str) -> tuple[str, str] | None:
    """Return why an image cannot start on an instance type, and what to do; None if it may."""
    processor = architecture_of(instance_type)
    if image.architecture is not None and image.architecture != processor:
        message = (
            f"`{name}` is built for {image.architecture}, and `{instance_type}` is {processor}"
        )
        return message, "name an instance type of the image's architecture, or another image"
    if is_neuron(instance_type) and image.accelerator in {"cpu", "gpu"}:
        message = f"`{instance_type}` computes with Neuron, which `{name}` has no support for"
        return message, "name another instance type, or an image that is built for Neuron"
    return None
