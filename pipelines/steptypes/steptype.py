"""What is known about one SageMaker step Type, as a value.

Each module of this package whose name is a Type in snake_case holds one `STEP_TYPE`. The module
of this class is not called `model`: that is the module of the Type `Model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

STEP_FAULTS = ("Step.SERVICE_FAULT", "Step.THROTTLING")
"""Exception types of a retry policy that any retrying step takes."""

JOB_FAULTS = (
    *STEP_FAULTS,
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
"""Exception types of a retry policy on a step that starts a SageMaker job."""


@frozen
class StepKey:
    """A key beside `Arguments` that only some Types have, as `PropertyFiles`.

    Args:
        name: the key.
        shape: name of its shape in the Type's shapes.
        required: whether a step without it is wrong.
    """

    name: str
    shape: str
    required: bool = False


@frozen
class StepType:
    """One Type of step.

    Args:
        name: the `Type` as a definition writes it.
        request: shape of `Arguments`; None where they hold steps (Condition).
        describe: shape of what `Get Steps.<name>.<path>` reads; None where nothing may be read.
        bare: whether the step may stand without `Arguments` (the service's published schema).
        supplied: members that `request` requires and the service fills in; they may be given.
        step_keys: keys of this Type beside the common ones.
        cacheable: whether `CacheConfig` may stand on it.
        cache_key: the arguments whose change misses the cache, `a.b` for a member of a member;
            empty where the service's list is not known: then take all of them.
        retry_types: what a retry policy may name; empty where no policy may stand.
        permissions: IAM actions that the role running such a step needs, its data apart.
        service: the botocore service whose model holds the shapes.
        own_shapes: shapes that no service model has, in botocore's notation; `like` and
            `without` take over the members of another shape.
        one_of: what the API requires without its model saying so: a place below the arguments, as
            `Containers.*`, and the members of which the structure there needs one.
    """

    name: str
    request: str | None
    describe: str | None
    bare: bool = False
    supplied: tuple[str, ...] = ()
    step_keys: tuple[StepKey, ...] = ()
    cacheable: bool = False
    cache_key: tuple[str, ...] = ()
    retry_types: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    service: str = "sagemaker"
    own_shapes: Mapping[str, JsonObject] = field(default_factory=dict)
    one_of: tuple[tuple[str, tuple[str, ...]], ...] = ()
