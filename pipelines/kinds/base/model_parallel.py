"""`mp_parameters:` of a distribution: the configuration of SageMaker's model parallel library."""

from pydantic import Field

from pipelines.spec.base import SpecModel


class ModelParallel(SpecModel):
    """What SageMaker's model parallel library v2 is told; the SDK's `SMP` has the same members."""

    hybrid_shard_degree: int | None = Field(None, ge=0, description="Degree of sharding.")
    sm_activation_offloading: bool | None = Field(None, description="Offload activations.")
    activation_loading_horizon: int | None = Field(
        None, ge=1, description="How many offloaded layers may be in memory at once."
    )
    fsdp_cache_flush_warnings: bool | None = Field(None, description="Tell of cache flushes.")
    allow_empty_shards: bool | None = Field(None, description="Allow empty shards.")
    tensor_parallel_degree: int | None = Field(None, ge=1, description="Degree over tensors.")
    context_parallel_degree: int | None = Field(None, ge=1, description="Degree over contexts.")
    expert_parallel_degree: int | None = Field(None, ge=1, description="Degree over experts.")
    random_seed: int | None = Field(None, description="Seed of the library's own operations.")
