"""Which launcher stands in for the one that AWS's toolkit would take."""

from __future__ import annotations

import pytest

from pipelines.backends.local.jobs.toolkit import _distribution


@pytest.mark.parametrize(
    ("switch", "launcher"),
    [
        ("sagemaker_torch_distributed_enabled", "torchrun"),
        ("sagemaker_pytorch_ddp_enabled", "torchrun"),
        ("sagemaker_mpi_enabled", "mpi"),
        ("sagemaker_distributed_dataparallel_enabled", "smddp"),
        ("sagemaker_multi_worker_mirrored_strategy_enabled", "tensorflow"),
        ("sagemaker_parameter_server_enabled", "tensorflow"),
    ],
)
def test_the_switches_of_sdk_v2_choose_a_launcher(switch: str, launcher: str) -> None:
    """Each estimator sends its own; one that is off starts the script alone."""
    told = _distribution({switch: True})
    assert told is not None
    assert told["launcher"] == launcher
    assert (told.get("strategy") == "parameter_server") is (
        switch == "sagemaker_parameter_server_enabled"
    )
    assert _distribution({switch: False}) is None
