"""`distribution` in the words of SageMaker's SDK and others → as it is written here."""

from __future__ import annotations

import pytest

from pipelines.json_types import JsonObject
from pipelines.kinds.base.distribution import Distribution
from pipelines.kinds.base.sdk_distribution import from_mapping, from_text, written


@pytest.mark.parametrize(
    ("of_sdk", "key", "here"),
    [
        ({"torch_distributed": {"enabled": True}}, "torch_distributed", "distribution: torchrun"),
        ({"pytorchddp": {"enabled": True}}, "pytorchddp", "distribution: torchrun"),
        (
            {"smdistributed": {"dataparallel": {"enabled": True}}},
            "smdistributed",
            "distribution: smddp",
        ),
        (
            {
                "smdistributed": {"modelparallel": {"enabled": True}},
                "mpi": {"enabled": True, "processes_per_host": 8},
            },
            "smdistributed",
            "distribution: smp",
        ),
        (
            {"mpi": {"enabled": True, "processes_per_host": 8, "custom_mpi_options": "-x A=1"}},
            "mpi",
            'distribution: {launcher: mpi, processes_per_host: 8, custom_mpi_options: "-x A=1"}',
        ),
        (
            {"parameter_server": {"enabled": True}},
            "parameter_server",
            "distribution: {launcher: tensorflow, strategy: parameter_server}",
        ),
        (
            {"multi_worker_mirrored_strategy": {"enabled": True}},
            "multi_worker_mirrored_strategy",
            "distribution: tensorflow",
        ),
        (
            {"Torchrun": {"process_count_per_node": 4}},
            "Torchrun",
            "distribution: {launcher: torchrun, processes_per_host: 4}",
        ),
        (
            {"type": "MPI", "process_count_per_node": 2},
            "type",
            "distribution: {launcher: mpi, processes_per_host: 2}",
        ),
    ],
)
def test_what_the_sdk_writes_is_told_as_it_is_written_here(
    of_sdk: JsonObject, key: str, here: str
) -> None:
    """Each form of its documentation; what is told is valid."""
    found = from_mapping(of_sdk)
    assert found is not None
    assert found[0] == key
    assert found[1] is not None
    assert written(found[1]) == here
    assert Distribution.model_validate(found[1]).given() == found[1]


def test_what_is_not_enabled_means_nothing_and_our_own_is_not_of_the_sdk() -> None:
    """Unknown keys are left to the model."""
    assert from_mapping({"mpi": {"enabled": False}}) == ("mpi", None)
    assert from_mapping({"launcher": "mpi", "torch_distributed": {}}) is None
    assert from_mapping({"unknown": {}}) is None


@pytest.mark.parametrize("word", ["horovod", "torch.distributed", "DDP", "parameter_server"])
def test_a_word_for_a_launcher_means_one(word: str) -> None:
    """In any case and spelling."""
    meant = from_text(word)
    assert meant is not None
    assert Distribution.model_validate(meant).launcher in {"mpi", "torchrun", "tensorflow"}
    assert from_text("unknown") is None
