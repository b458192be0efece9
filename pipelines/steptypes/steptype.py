"""What is known about one SageMaker step Type, as a value.

Each module of this package whose name is a Type in snake_case holds one `STEP_TYPE`. The module
of this class is not called `model`: that is the module of the Type `Model`. Places are dotted
paths, `*` for every entry of a list (`places.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Final, Literal, TypeAlias

from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.limits import Rule, ValueLimit, number
from pipelines.steptypes.places import below, value_at
from pipelines.steptypes.trials import Trials

JOB_INTERNAL_ERROR: Final = "SageMaker.JOB_INTERNAL_ERROR"
STEP_FAULTS: Final = ("Step.SERVICE_FAULT", "Step.THROTTLING")
"""Exception types of a retry policy that any retrying step takes."""

JOB_FAULTS: Final = (
    *STEP_FAULTS,
    JOB_INTERNAL_ERROR,
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
"""Exception types of a retry policy on a step that starts a SageMaker job."""

EMR_FAULT: Final = "Emr.RESOURCE_LIMIT"
"""The exception type of EMR clusters (the service's published JSON schema)."""

FAULTS: Final = (*JOB_FAULTS, EMR_FAULT)
"""Every exception type that a retry policy may name."""

Symbol: TypeAlias = Literal["process", "decision", "terminator", "store"]
"""The symbols of a flowchart."""


Grants: TypeAlias = Mapping[str, tuple[str, ...]]
"""IAM action → what it is on: the noun of a SageMaker ARN, which gets the name that the step
gives or the service; a noun with a name, as `model/*`; such a resource of another service, as
`elasticmapreduce:cluster/*`; `role`, each role that the step names; `=KEY`, what that key of the
step names; `images`, the repositories of its images; `named`, the objects that it names;
`cleaned`, what the steps wrote that it names; both are prefixes for `s3:ListBucket`; `*` where the
action takes no resource (Service Authorization Reference)."""


def on(noun: str, *actions: str) -> dict[str, tuple[str, ...]]:
    """Return SageMaker's actions on one noun."""
    return {f"sagemaker:{action}": (noun,) for action in actions}


def job_grants(noun: str, job: str) -> dict[str, tuple[str, ...]]:
    """Return what it takes to run a job, as `TrainingJob`, and to pass it its role."""
    actions = (f"Create{job}", f"Describe{job}", f"Stop{job}", "AddTags")
    return {**on(noun, *actions), "iam:PassRole": ("role",)}


@frozen
class StepKey:
    """A key beside `Arguments` that only some Types have, as `PropertyFiles`.

    Args:
        name: the key.
        shape: name of its shape in the Type's shapes.
        required: whether a step without it is wrong.
        named_by: of a list that references enter by name, the member that is the name.
    """

    name: str
    shape: str
    required: bool = False
    named_by: str | None = None


@frozen
class Cache:
    """How the service caches a Type's steps.

    Args:
        key: the arguments whose change misses the cache; empty where the service's list is not
            known: then all of them count. Source: developer guide, "Default cache key attributes".
    """

    key: tuple[str, ...] = ()


@frozen
class NestedSteps:
    """An argument that holds steps.

    Args:
        argument: its name, as `IfSteps`.
        word: what people call it, as `then`.
        outcome: the `Outcome` of the step for which they run; None where they run once an item.
    """

    argument: str
    word: str
    outcome: str | None = None


@frozen
class Resource:
    """What a step creates in SageMaker.

    Args:
        noun: what stands before its name in its ARN (patterns of the API's ARN shapes).
        name: member of the Describe response that holds the name that the service gives it where
            the arguments give none; None where it gives none.
        arn: member of the Describe response that holds its ARN; None where that is made of more
            than noun and name.
        listed: member of the step's metadata that holds its ARN (ListPipelineExecutionSteps).
        longest: how many characters a name has at most (API).
        log_group: CloudWatch group that its hosts write their logs into, in streams that begin
            with its name; None where there are none. Source: developer guide, "Log groups and
            streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs".
    """

    noun: str
    name: str | None = None
    arn: str | None = None
    listed: str = "Arn"
    log_group: str | None = None
    longest: int = 63

    @property
    def describe(self) -> str:
        """The operation that describes it, in boto3's words."""
        return f"describe_{self.noun.replace('-', '_')}"


@frozen
class Cluster:
    """Instances that a step asks for: what quotas bound, and what is billed.

    Args:
        usage: how Service Quotas names them, "<instance type> for <usage> usage".
        at: below the job: what holds type and count.
        job: where the request of the job stands in the arguments.
        type: below `at`: the instance type.
        count: below `at`: how many.
        volume: below the job: the storage of each instance in GB.
        runtime: below the job: the seconds after which it is ended; None where nothing ends it.
        parallel: in the arguments: how many such jobs run at once; None for one.
        total: in the arguments: how many such jobs run in all, at most; None for one.
        spot: below the job: whether it takes spot capacity, which has quotas of its own.
        kept: below the job: how long instances stay in a warm pool, which has quotas of its own.
    """

    usage: str
    at: str
    job: str = ""
    type: str = "InstanceType"
    count: str = "InstanceCount"
    volume: str | None = None
    runtime: str | None = None
    parallel: str | None = None
    total: str | None = None
    spot: str | None = None
    kept: str | None = None

    def quotas(self, job: Json) -> Iterator[str]:
        """Yield what Service Quotas calls the usages that a job's instances count for."""
        is_spot = self.spot is not None and value_at(job, self.spot) is True
        yield f"spot {self.usage}" if is_spot else self.usage
        kept = None if self.kept is None else value_at(job, self.kept)
        if kept is not None and number(kept) != 0:
            yield f"{self.usage.removesuffix(' job')} warm pool"


@frozen
class DataPlace:
    """Where a request, and the Describe response, says which data a step reads or writes.

    Args:
        at: where the structures stand, one for each input or output.
        uri: below a structure: its S3 URI.
        name: what it is called where it has no name of its own.
        named_by: member of a structure that is its name.
        file_system: below a structure: the file system that stands there in place of S3.
        made: returns the URI out of a structure that has it in no member.
    """

    at: str
    uri: str
    name: str = ""
    named_by: str | None = None
    file_system: str | None = None
    made: Callable[[JsonObject], str | None] | None = None

    def uri_of(self, entry: JsonObject) -> Json:
        """Return the URI of a structure that `entries` yields; None where it has none."""
        return value_at(entry, self.uri) if self.made is None else self.made(entry)

    def entries(self, value: Json) -> Iterator[tuple[str, JsonObject]]:
        """Yield name and structure of each input or output that has a name."""
        for _, entry in below(value, self.at):
            if isinstance(entry, dict):
                own = entry.get(self.named_by) if self.named_by is not None else None
                name = own if isinstance(own, str) else self.name
                if name:
                    yield name, entry


def _final_metrics(described: JsonObject) -> dict[str, float]:
    """Return the metrics of a training job; other jobs have none."""
    return named_metrics("metrics", described.get("FinalMetricDataList") or ())


def named_metrics(prefix: str, found: Iterable[JsonObject]) -> dict[str, float]:
    """Return metrics by their names; a stub may leave out a name or a value."""
    numbers = ((one.get("MetricName"), number(one.get("Value"))) for one in found)
    return {f"{prefix}.{name}": value for name, value in numbers if name and value is not None}


def _nothing(_arguments: JsonObject, _job_name: str) -> JsonObject:
    return {}


@frozen
class StepType:
    """One Type of step.

    Args:
        name: the `Type` as a definition writes it.
        request: shape of `Arguments`; None where they hold steps (Condition).
        describe: shape of what `Get Steps.<name>.<path>` reads; None where nothing may be read.
        aliases: what operations, the guide and the SDK call it, without the `Step` of the SDK's
            classes.
        bare: whether the step may stand without `Arguments` (the service's published schema).
        supplied: members that `request` requires and the service fills in; they may be given.
        refused: members of `request` that the API takes and a pipeline does not.
        step_keys: keys of this Type beside the common ones.
        service: the botocore service whose model holds the shapes.
        own_shapes: shapes that no service model has, in botocore's notation; `like` and
            `without` take over the members of another shape.
        one_of: what the API requires without its model saying so: a place in the arguments, and
            the members of which the structure there needs one.
        strings: places of maps and lists that take only strings, although a reference to a number
            passes the shapes (FACTS 11.3).
        metrics: places of regular expressions that find metrics in logs.
        limits: numbers that the service bounds beyond the shapes.
        rules: conditions between members of one structure.
        cache: how it is cached; None where `CacheConfig` may not stand on it.
        retry_types: what a retry policy may name; empty where no policy may stand.
        retried_inside: those of them that have no effect: its job retries its own jobs.
        permissions: IAM actions that the role of the pipeline needs to run such a step, each with
            what it is on: see `on`.
        passes_to: the services that take the roles that it passes.
        job_roles: places in the arguments of the roles that its jobs run with, where it has some.
        runs_model: the argument that names the model whose image and role its jobs run with.
        listed_as: member of `Metadata` in ListPipelineExecutionSteps that such a step has (the
            API's PipelineExecutionStepMetadata); None where it is the Type's name.
        resource: what it creates; None where that is nothing with an ARN of SageMaker's.
        clusters: the instances that it asks for.
        billed_for: what it costs, for people, where no instances that it names are billed.
        inputs: what it reads.
        outputs: what it writes.
        describes: members of the Describe response that the service adds to the arguments, out of
            the arguments and the name of the job: what a stub has to answer beside them.
        metrics_of: reads its metrics out of the Describe response, as a reference names them below
            the step.
        trials: how its job is told of, where that starts others to compare them.
        holds: the arguments that hold steps.
        step_names: places in the arguments that name other steps.
        keeps: the argument that names what the step creates or updates, so that no two steps may
            name the same; None where every step makes something new.
        terminal: whether it ends the execution: nothing may wait for it.
        in_body: whether it may stand in the body of a ForEach (SDK for_each_step.py).
        symbol: how a flowchart shows it.
    """

    name: str
    request: str | None
    describe: str | None
    aliases: tuple[str, ...] = ()
    bare: bool = False
    supplied: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    step_keys: tuple[StepKey, ...] = ()
    service: str = "sagemaker"
    own_shapes: Mapping[str, JsonObject] = field(default_factory=dict)
    one_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    strings: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    limits: tuple[ValueLimit, ...] = ()
    rules: tuple[Rule, ...] = ()
    cache: Cache | None = None
    retry_types: tuple[str, ...] = ()
    retried_inside: tuple[str, ...] = ()
    permissions: Grants = field(default_factory=dict)
    passes_to: tuple[str, ...] = ("sagemaker.amazonaws.com",)
    job_roles: tuple[str, ...] = ()
    runs_model: str | None = None
    listed_as: str | None = None
    resource: Resource | None = None
    clusters: tuple[Cluster, ...] = ()
    billed_for: str | None = None
    inputs: tuple[DataPlace, ...] = ()
    outputs: tuple[DataPlace, ...] = ()
    describes: Callable[[JsonObject, str], JsonObject] = _nothing
    metrics_of: Callable[[JsonObject], dict[str, float]] = _final_metrics
    trials: Trials | None = None
    holds: tuple[NestedSteps, ...] = ()
    step_names: tuple[str, ...] = ()
    keeps: str | None = None
    terminal: bool = False
    in_body: bool = True
    symbol: Symbol = "process"

    @property
    def metadata(self) -> str:
        """The member of `Metadata` that such a step has."""
        return self.listed_as or self.name

    @property
    def registers(self) -> bool:
        """Whether it adds a version to the model registry."""
        return self.resource is not None and self.resource.noun == "model-package"

    @property
    def runs_jobs(self) -> bool:
        """Whether its instances are those of a job, which end with it; an endpoint keeps them."""
        return self.resource is not None and self.resource.log_group is not None

    @property
    def branches(self) -> bool:
        """Whether its outcome decides which of its steps run."""
        return any(nested.outcome is not None for nested in self.holds)

    @property
    def repeats(self) -> bool:
        """Whether it runs its steps once per item."""
        return any(nested.outcome is None for nested in self.holds)
