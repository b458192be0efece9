"""What a local job is: its hosts, the commands they start, and how they ended. Values only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pipelines.backends.local.stub_advice import USE_A_STUB
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.json_types import JsonObject

IsolationMode = Literal["namespaces", "rewrite"]
EndCause = Literal["finished", "limit", "stopped", "interrupted"]
NO_GROUP = "homogeneousCluster"  # the service's group name where a request has no groups


class JobRefusedError(PipelinesError):
    """A job cannot run on this machine, or its request is invalid; the step fails.

    Attributes:
        fault: the service's exception type for retries, where the platform is at fault.
        notes: remarks for whoever watches, which the service does not have.
    """

    exit_code = 5
    fault: ClassVar[str | None] = None
    notes: tuple[str, ...] = ()


REASON_LENGTH = 1024
"""Characters of a FailureReason."""


@frozen
class JobIdentity:
    """What a job is called.

    Args:
        name: its name.
        arn: its ARN.
        folder: the name of its folder in `.pipelines/jobs`, unique among running jobs.
    """

    name: str
    arn: str
    folder: str


@frozen
class HostPlan:
    """One host as the request asks for it: its instance group and type."""

    name: str
    group: str = NO_GROUP
    instance_type: str = "local"


MOST_HOSTS = 100
"""Host processes of one job: beyond that a machine is busy with starting them."""


def host_plans(groups: Sequence[JsonObject]) -> list[HostPlan]:
    """Number the hosts over all instance groups of a request.

    Args:
        groups: `InstanceGroupName`, `InstanceType` and `InstanceCount` of each.

    Raises:
        JobRefusedError: one machine cannot stand for that many.
    """
    counts = [int(group.get("InstanceCount") or 1) for group in groups]
    if sum(counts) > MOST_HOSTS:
        raise JobRefusedError(
            f"the job asks for {sum(counts)} instances; one machine stands for {MOST_HOSTS}",
            f"run it with fewer, or {USE_A_STUB}",
        )
    kinds = [
        (group.get("InstanceGroupName", NO_GROUP), group.get("InstanceType", "local"))
        for group, count in zip(groups, counts, strict=True)
        for _ in range(count)
    ]
    return [HostPlan(f"algo-{number}", *kind) for number, kind in enumerate(kinds, start=1)]


@frozen
class JobHost:
    """One host of a job.

    Args:
        plan: the name, group and type.
        address: the loopback address that it resolves to.
        root: the folder that stands for the host's disk; `ml` in it is its /opt/ml.
    """

    plan: HostPlan
    address: str
    root: Path

    @property
    def name(self) -> str:
        """`algo-1` … `algo-N`."""
        return self.plan.name

    @property
    def ml(self) -> Path:
        """The folder that the job sees as /opt/ml."""
        return self.root / "opt" / "ml"


@frozen
class LocalJob:
    """A job whose folders exist.

    Args:
        name: the job's name.
        arn: the job's ARN.
        hosts: in order, `algo-1` first.
        isolation: how the hosts get their /opt/ml.
        scratch: a short path for temporary files (socket names end at 107 characters).
        network_isolated: whether the job has no network but loopback.
    """

    name: str
    arn: str
    hosts: tuple[JobHost, ...]
    isolation: IsolationMode
    scratch: Path
    network_isolated: bool = False

    @property
    def folder(self) -> Path:
        """The folder of its hosts."""
        return self.hosts[0].root.parent

    @property
    def host_names(self) -> list[str]:
        """How the hosts address each other: by name, or by IP address with rewritten paths."""
        if self.isolation == "namespaces":
            return [host.name for host in self.hosts]
        return [host.address for host in self.hosts]

    def name_of(self, host: JobHost) -> str:
        """How the other hosts address this one."""
        return host.name if self.isolation == "namespaces" else host.address


@frozen
class JobLimits:
    """Time limits, in seconds.

    Args:
        wall: `MaxRuntimeInSeconds`.
        grace: between SIGTERM and SIGKILL; 120 in the service.
        peers: how long the other hosts may continue after one has failed.
    """

    wall: float = 86_400.0
    grace: float = 10.0
    peers: float = 2.0

    @classmethod
    def of(cls, condition: JsonObject | None, grace: float) -> JobLimits:
        """Read a `StoppingCondition`; without one the service's 24 hours apply."""
        seconds = (condition or {}).get("MaxRuntimeInSeconds")
        return cls(grace=grace) if seconds is None else cls(wall=float(seconds), grace=grace)


@frozen
class ContainerCommand:
    """What all hosts of a job start.

    Args:
        words: the container's entrypoint and arguments.
        environment: the variables of the request and of the service.
        limits: how long the job may take.
        failure: where the job writes its failure text, below /opt/ml.
        remarks: what its log says before it starts.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    limits: JobLimits
    failure: str
    remarks: Sequence[str] = ()


@frozen
class HostCommand:
    """What one host starts: argument list, whole environment, and the file for its output."""

    host: JobHost
    words: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path


@frozen
class HostEnd:
    """How one host's main process ended.

    Args:
        host: its name.
        kind: `exit` with a code, `signal` with a number; `exec` when the program could not be
            started, `setup` when the host could not be set up, `lost` when its launcher vanished.
        code: exit code or signal number, else 0.
        text: the system's message, for `exec` and `setup`.
    """

    host: str
    kind: Literal["exit", "signal", "exec", "setup", "lost"]
    code: int = 0
    text: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the process exited with code 0."""
        return self.kind == "exit" and self.code == 0


@frozen
class JobEnd:
    """How a job ended.

    Args:
        cause: `finished` by itself (well or not), `limit` by MaxRuntimeInSeconds, `stopped` on
            request, `interrupted` by the end of its spot capacity.
        hosts: how each host ended, in order of ending.
    """

    cause: EndCause
    hosts: tuple[HostEnd, ...]

    @property
    def failure(self) -> HostEnd | None:
        """The host that failed first, if one did."""
        return next((end for end in self.hosts if not end.succeeded), None)
