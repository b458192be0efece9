"""Training rows → a logistic regression as `model.onnx`, and `metadata.json` that says its inputs.

Channel `train` (CSV) in SM_CHANNEL_TRAIN; the model goes to SM_MODEL_DIR. Encoding and scaling lie
inside the ONNX graph: an endpoint takes the raw features, each an input [N, 1] of its own, and
needs no pickle and no scikit-learn. The output `probability` is float32 [N].
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
TARGET = "male"


def encode(rows: pd.DataFrame, species: Sequence[str], scaler: StandardScaler) -> np.ndarray:
    """Return one column per species, 1 where it is the row's, and the scaled numbers."""
    flags = [(rows["species"] == name).to_numpy(float) for name in species]
    return np.column_stack([*flags, scaler.transform(rows[NUMBERS].to_numpy())])


def to_onnx(
    species: Sequence[str], scaler: StandardScaler, model: LogisticRegression
) -> onnx.ModelProto:
    """Write encoding, scaling and model as one graph."""
    constants = {
        "mean": scaler.mean_.astype(np.float32),
        "scale": scaler.scale_.astype(np.float32),
        "weights": model.coef_.T.astype(np.float32),
        "bias": model.intercept_.astype(np.float32),
        "columns": np.array([-1, len(species)]),
        "flat": np.array([-1]),
    }
    encoder = helper.make_node(
        "OneHotEncoder", ["species"], ["encoded"], domain="ai.onnx.ml", cats_strings=list(species)
    )
    nodes = [
        encoder,
        helper.make_node("Reshape", ["encoded", "columns"], ["flags"]),
        helper.make_node("Concat", NUMBERS, ["numbers"], axis=1),
        helper.make_node("Sub", ["numbers", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Concat", ["flags", "scaled"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "weights", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["chance"]),
        helper.make_node("Reshape", ["chance", "flat"], ["probability"]),
    ]
    inputs = [helper.make_tensor_value_info("species", TensorProto.STRING, ["N", 1])]
    inputs += [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 1]) for n in NUMBERS]
    output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N"])
    values = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "penguins", inputs, [output], values)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    built = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(built, full_check=True)
    return built


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(description="Train the model.")
    parser.add_argument("--C", type=float, default=1.0, help="the less, the more regularised")
    args = parser.parse_args(argv)

    rows = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAIN"], "rows.csv"))
    species = sorted(rows["species"].unique())
    scaler = StandardScaler().fit(rows[NUMBERS].to_numpy())
    encoded = encode(rows, species, scaler)
    model = LogisticRegression(C=args.C, max_iter=1000).fit(encoded, rows[TARGET])
    print(f"train accuracy={model.score(encoded, rows[TARGET]):.4f}")

    folder = Path(os.environ["SM_MODEL_DIR"])
    onnx.save(to_onnx(species, scaler, model), str(folder / "model.onnx"))
    features = [{"name": "species", "type": "string"}]
    features += [{"name": name, "type": "number"} for name in NUMBERS]
    metadata = {"features": features, "target": TARGET, "threshold": 0.5}
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=1))


if __name__ == "__main__":
    main()
