"""Environment variables that the job sets itself: a value that a step gives them is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding, Severity
from pipelines.graph.model import Graph, Node
from pipelines.spec.steps import JobStep

TAKEN = frozenset(
    f"SM_{name}"
    for name in [
        "CHANNELS",
        "CURRENT_HOST",
        "CURRENT_HOST_RANK",
        "CURRENT_INSTANCE_TYPE",
        "DISTRIBUTED_CONFIG",
        "ENTRY_SCRIPT",
        "FRAMEWORK_PARAMS",
        "HOSTS",
        "HOST_COUNT",
        "HPS",
        "INPUT_CONFIG_DIR",
        "INPUT_DATA_CONFIG",
        "INPUT_DATA_DIR",
        "INPUT_DIR",
        "LOG_LEVEL",
        "MASTER_ADDR",
        "MASTER_PORT",
        "MODEL_DIR",
        "MODULE_DIR",
        "MODULE_NAME",
        "NETWORK_INTERFACE_NAME",
        "NUM_CPUS",
        "NUM_GPUS",
        "NUM_NEURONS",
        "OUTPUT_DATA_DIR",
        "OUTPUT_DIR",
        "OUTPUT_FAILURE",
        "RESOURCE_CONFIG",
        "SOURCE_DIR",
        "TRAINING_ENV",
        "USER_ARGS",
        "USER_ENTRY_POINT",
    ]
)
"""What `runtime.environment` sets in every job."""


def check(graph: Graph) -> Iterator[Finding]:
    """Warn of values for variables that the runtime sets after them; a model server has its own."""
    for node in graph.nodes.values():
        if not isinstance(node.step, JobStep) or not node.step.environment:
            continue
        code = node.kind.needs(node.name, node.step).code
        taken = _taken(node, code) if code is not None else frozenset()
        for name in node.step.environment:
            if name in taken:
                yield Finding(
                    "SP130",
                    f"the job sets `{name}` itself: the value given here is lost",
                    (*node.path, "environment", name),
                    at="key",
                    help="use another name",
                    severity=Severity.WARNING,
                )


def _taken(node: Node, code: CodeNeed) -> frozenset[str]:
    """Return what the runtime sets in the jobs of a step."""
    named = {
        "SM_CHANNEL_": getattr(node.step, "inputs", {}),
        "SM_OUT_": code.outputs,
        "SM_HP_": getattr(node.step, "hyperparameters", {}),
    }
    own = {
        prefix + re.sub("[^A-Z0-9]", "_", name.upper())
        for prefix, names in named.items()
        for name in names
    }
    kept = {"SM_CHECKPOINT_DIR"} if code.checkpoints is not None else set()
    events = {"SM_TENSORBOARD_DIR"} if "tensorboard" in (code.tracking or {}) else set()
    return TAKEN.union(own, kept, events)
