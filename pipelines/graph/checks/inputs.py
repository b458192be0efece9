"""Inputs: none has a name that the job uses itself, nor keys that only a training knows."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding, Path
from pipelines.graph.model import Graph, Node
from pipelines.spec.steps import Input

_OF_CHANNELS: dict[str, object] = {
    "content_type": None,
    "instance_group_names": [],
    "record_wrapper_type": "None",
    "shuffle_seed": None,
}
_OF_DATA = {
    "data_type": "S3Prefix",
    "mode": "File",
    "distribution": "FullyReplicated",
    "compression_type": "None",
}
"""Keys of inputs, and their usual values."""


def check(graph: Graph) -> Iterator[Finding]:
    """Find inputs with the name of the step's code (decision 1) or of its model, and idle keys."""
    for node in graph.nodes.values():
        yield from _taken_names(node)
        yield from _model_keys(node)
        if not node.step.has_channels:
            yield from _idle_keys(node)


def _taken_names(node: Node) -> Iterator[Finding]:
    code = node.kind.needs(node.name, node.step).code
    taken = {"code": "the step's own code"} if code else {}
    if code and code.model_input:
        taken[code.model_input] = "the model"
    for name in getattr(node.step, "inputs", {}):
        if name in taken:
            yield Finding(
                "SP130",
                f"the input name `{name}` is taken by {taken[name]}",
                (*node.path, "inputs", name),
                at="key",
                help="choose another name",
            )


def _idle_keys(node: Node) -> Iterator[Finding]:
    """Yield keys of channels in steps that have none: their jobs know nothing of them."""
    given: dict[Path, object] = {("model",): getattr(node.step, "model", None)}
    given |= {("inputs", name): one for name, one in getattr(node.step, "inputs", {}).items()}
    for path, source in given.items():
        for key, usual in _OF_CHANNELS.items() if isinstance(source, Input) else ():
            if getattr(source, key) not in ("", usual):
                message = f"`{key}` has no effect: it is for the channels of a training"
                yield Finding("SP130", message, (*node.path, *path, key), "key", "remove it")


def _model_keys(node: Node) -> Iterator[Finding]:
    """Yield keys that say how data is read, of a model: that is one archive on each host."""
    model = getattr(node.step, "model", None)
    for key, usual in _OF_DATA.items() if isinstance(model, Input) else ():
        if getattr(model, key) != usual:
            message = f"`{key}` is for data: a model is one archive, which every host reads"
            yield Finding("SP130", message, (*node.path, "model", key), "key", "remove it")
