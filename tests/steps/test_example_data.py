from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training import data
from training.metrics import area_under_curve, log_loss

if TYPE_CHECKING:
    from pathlib import Path

    from tests.steps.conftest import Workspace

ENCODERS: data.Encoders = {
    "target": "late",
    "strings": {"carrier": ["DL", "UA"]},
    "numbers": {"distance": {"median": 1.0, "mean": 2.0, "std": 3.0}},
}


@given(total=st.integers(0, 10_000), world_size=st.integers(1, 64))
def test_the_ranks_ranges_part_the_rows_exactly(total: int, world_size: int) -> None:
    """Every row belongs to one rank, and no rank has two rows more than another."""
    ranges = [data.rank_range(total, rank, world_size) for rank in range(world_size)]
    assert [row for found in ranges for row in found] == list(range(total))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


@pytest.mark.parametrize("world_size", [1, 2, 3, 5])
def test_the_ranks_together_read_every_row_once(workspace: Workspace, world_size: int) -> None:
    """Files and ranks need not divide each other: the parts put together are the channel."""
    folder = workspace.root / "train"
    parts = [
        data.read_range(folder, data.rank_range(data.count_rows(folder), rank, world_size))
        for rank in range(world_size)
    ]
    whole = pd.concat([pd.read_parquet(path) for path in sorted(folder.iterdir())])
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole.reset_index(drop=True))


def test_a_rank_opens_only_the_row_groups_it_needs(tmp_path: Path) -> None:
    """A file outside a rank's range is not read: here it could not be."""
    frame = pd.DataFrame({"x": range(10)})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=5)
    frame.to_parquet(tmp_path / "b.parquet")
    content = bytearray((tmp_path / "b.parquet").read_bytes())
    content[4:60] = bytes(56)
    (tmp_path / "b.parquet").write_bytes(content)
    assert data.read_range(tmp_path, range(3, 10))["x"].tolist() == [3, 4, 5, 6, 7, 8, 9]
    assert list(data.read_range(tmp_path, range(0))) == ["x"]


def test_an_empty_channel_is_named(tmp_path: Path) -> None:
    """The message says which folder has no file."""
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        data.parquet_files(tmp_path)


@given(total=st.integers(1, 5_000), batch_size=st.integers(1, 600), world_size=st.integers(1, 16))
def test_all_ranks_make_equally_many_steps_with_rows_in_each(
    total: int, batch_size: int, world_size: int
) -> None:
    """A rank without a batch for a step would keep the others waiting for ever."""
    if total < world_size:
        with pytest.raises(ValueError, match="cannot share"):
            data.steps_per_epoch(total, batch_size, world_size)
        return
    steps = data.steps_per_epoch(total, batch_size, world_size)
    for rank in range(world_size):
        rows = len(data.rank_range(total, rank, world_size))
        dealt = data.batches(rows, steps, np.random.default_rng(0))
        assert len(dealt) == steps
        assert min(map(len, dealt)) >= 1
        assert sorted(np.concatenate(dealt).tolist()) == list(range(rows))


def test_the_number_of_steps_does_not_depend_on_the_number_of_ranks() -> None:
    """The batch size is that of all ranks together."""
    assert {data.steps_per_epoch(224_532, 2048, world) for world in (1, 2, 4, 8)} == {110}


def test_unknown_categories_have_code_zero() -> None:
    """Known ones count from one in the encoders' order; missing numbers stay NaN."""
    frame = pd.DataFrame(
        {"carrier": ["UA", "DL", "??", ""], "distance": [1, None, 3, 4], "late": [0, 1, 0, 1]}
    )
    rows = data.encode(frame, ENCODERS)
    assert rows.codes.tolist() == [[2], [1], [0], [0]]
    assert torch.isnan(rows.numbers[:, 0]).tolist() == [False, True, False, False]
    assert rows.target.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert len(rows) == 4


def test_a_fingerprint_changes_with_data_encoders_and_hyperparameters(tmp_path: Path) -> None:
    """A checkpoint of anything else must not be continued."""
    frame = pd.DataFrame({"x": [1, 2]})
    frame.to_parquet(tmp_path / "a.parquet")
    first = data.fingerprint(tmp_path, ENCODERS, {"epochs": 4})
    assert data.fingerprint(tmp_path, ENCODERS, {"epochs": 4}) == first
    assert data.fingerprint(tmp_path, ENCODERS, {"epochs": 5}) != first
    assert data.fingerprint(tmp_path, {**ENCODERS, "target": "x"}, {"epochs": 4}) != first
    pd.DataFrame({"x": [1, 3]}).to_parquet(tmp_path / "a.parquet")
    assert data.fingerprint(tmp_path, ENCODERS, {"epochs": 4}) != first


@given(pairs=st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=30))
def test_auc_is_the_chance_that_a_late_flight_scores_higher(
    pairs: list[tuple[bool, int]],
) -> None:
    """Counted pair by pair; ties count half; one class alone has no AUC."""
    target = np.array([late for late, _ in pairs], dtype="float32")
    scores = np.array([score for _, score in pairs], dtype="float32")
    late, punctual = scores[target == 1], scores[target == 0]
    if len(late) == 0 or len(punctual) == 0:
        with pytest.raises(ValueError, match="AUC needs"):
            area_under_curve(target, scores)
        return
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in late for b in punctual]
    assert area_under_curve(target, scores) == pytest.approx(sum(wins) / len(wins))


def test_log_loss_is_finite_for_certain_and_wrong_logits() -> None:
    """A logit of 100 against a punctual flight costs 100 nats; an undecided one ln 2."""
    wrong = log_loss(np.array([0.0], dtype="float32"), np.array([100.0], dtype="float32"))
    undecided = log_loss(np.array([1.0], dtype="float32"), np.array([0.0], dtype="float32"))
    assert wrong == pytest.approx(100.0)
    assert undecided == pytest.approx(math.log(2))
