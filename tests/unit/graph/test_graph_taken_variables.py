"""Variables that a job sets itself, as the check of the spec knows them."""

from __future__ import annotations

from pathlib import Path

from pipelines.graph.checks.taken_variables import TAKEN
from pipelines.runtime.bundle import Job
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.environment import build_environment
from pipelines.runtime.layout import Layout


def test_what_is_said_to_be_taken_is_what_the_runtime_sets() -> None:
    """A variable that is added to the runtime is added to the check."""
    hosts = Hosts("algo-1", ("algo-1",), "ml.m5.large", "eth0", {})
    container = Container("job", hosts, {}, {}, {}, {}, isolated=False)
    layout = Layout.from_environment({}, "training")
    job = Job("train", job="training", script="train.py")
    found = build_environment(job, layout, container, Path("/opt/ml/model"), Path("/code"))
    assert set(found) == TAKEN
