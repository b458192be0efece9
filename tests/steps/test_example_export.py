from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch

from steps.evaluate import feed
from training.data import encode, read_encoders
from training.export import export, metadata, to_onnx
from training.model import DelayModel, embedding_width

if TYPE_CHECKING:
    from pathlib import Path

    from tests.steps.conftest import Workspace
    from training.data import Encoders


@pytest.fixture
def encoders(workspace: Workspace) -> Encoders:
    """The encoders of the small data."""
    return read_encoders(workspace.root / "encoders")


@pytest.fixture
def model(encoders: Encoders) -> DelayModel:
    """A network with random weights, ready to predict."""
    torch.manual_seed(0)
    return DelayModel(encoders, hidden=(16, 8), dropout=0.5).eval()


def hard_rows(workspace: Workspace) -> pd.DataFrame:
    """Give test rows, some with unknown categories, missing numbers and wild values."""
    rows = pd.read_parquet(workspace.root / "test").reset_index(drop=True)
    rows.loc[0:9, "carrier"] = "unheard of"
    rows.loc[5:15, "dest"] = ""
    rows.loc[3:20, "temp"] = np.nan
    rows.loc[21:25, list(rows.select_dtypes("float64"))] = np.nan
    rows.loc[26, "distance"] = 1e30
    rows.loc[27, "distance"] = -np.inf
    return rows


def test_onnx_answers_as_pytorch_does(
    workspace: Workspace, encoders: Encoders, model: DelayModel
) -> None:
    """Raw rows in, the same probabilities out to 1e-5: the encoding in the graph is right."""
    rows = hard_rows(workspace)
    session = onnxruntime.InferenceSession(to_onnx(model, encoders).SerializeToString())
    described = metadata(encoders)["features"]
    (found,) = session.run(["probability"], feed(rows, described))
    encoded = encode(rows, encoders)
    with torch.inference_mode():
        expected = torch.sigmoid(model(encoded.codes, encoded.numbers)).numpy()
    assert found.dtype == np.float32
    assert found.shape == (len(rows),)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_graph_takes_each_raw_feature_by_name(encoders: Encoders, model: DelayModel) -> None:
    """Strings and float32 numbers of shape [N, 1], in the order of the metadata."""
    session = onnxruntime.InferenceSession(to_onnx(model, encoders).SerializeToString())
    kinds = {"tensor(string)": "string", "tensor(float)": "number"}
    inputs = [{"name": i.name, "type": kinds[i.type]} for i in session.get_inputs()]
    assert inputs == metadata(encoders)["features"]
    assert {tuple(i.shape) for i in session.get_inputs()} == {("N", 1)}
    assert [(o.name, o.shape) for o in session.get_outputs()] == [("probability", ["N"])]


def test_one_row_is_enough(workspace: Workspace, encoders: Encoders, model: DelayModel) -> None:
    """An endpoint asks for single rows; the answer is a vector all the same."""
    rows = hard_rows(workspace).iloc[:1]
    session = onnxruntime.InferenceSession(to_onnx(model, encoders).SerializeToString())
    (found,) = session.run(None, feed(rows, metadata(encoders)["features"]))
    assert found.shape == (1,)


def test_the_same_weights_give_the_same_bytes(
    tmp_path: Path, encoders: Encoders, model: DelayModel
) -> None:
    """Model and metadata are written side by side, with nothing in them that varies."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        export(model, encoders, folder)
    first, second = ((folder / "model.onnx").read_bytes() for folder in folders)
    assert first == second
    written = json.loads((folders[0] / "metadata.json").read_text())
    assert written["target"] == "late"
    assert written["threshold"] == 0.5
    assert written["features"][0] == {"name": "carrier", "type": "string"}


def test_embeddings_stay_small() -> None:
    """Three airports need three numbers, a thousand planes not more than sixteen."""
    assert [embedding_width(size) for size in (4, 16, 1000)] == [3, 9, 16]
