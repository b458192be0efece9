"""A model and the test set → `evaluation.json` and four pictures.

Input `test` (Parquet with raw features and target) in SM_CHANNEL_TEST, the model (`model.onnx` and
`metadata.json`) in SM_MODEL_DIR. Output `report` gets `evaluation.json`, in the shape of
`steps.measures.Report`; output `pictures` gets roc.png, calibration.png, confusion.png, slices.png.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import onnxruntime
import pandas as pd

from steps.measures import Floats, measure
from steps.pictures import draw_all

if TYPE_CHECKING:
    from collections.abc import Sequence

SLICED_BY = ("carrier", "origin")


class Feature(TypedDict):
    """A raw feature: its name, and `string` or `number`."""

    name: str
    type: str


class Metadata(TypedDict):
    """What training wrote beside the model."""

    features: list[Feature]
    target: str
    threshold: float


def feed(rows: pd.DataFrame, features: Sequence[Feature]) -> dict[str, np.ndarray]:
    """Make the model's inputs, each [n, 1]: strings as they are, numbers as float32."""
    inputs: dict[str, np.ndarray] = {}
    for feature in features:
        column = rows[feature["name"]]
        if feature["type"] == "string":
            values = column.fillna("").to_numpy(dtype=object)
        else:
            values = column.to_numpy(dtype="float32", na_value=np.nan)
        inputs[feature["name"]] = values.reshape(-1, 1)
    return inputs


def predict(
    session: onnxruntime.InferenceSession,
    rows: pd.DataFrame,
    features: Sequence[Feature],
    batch_size: int,
) -> Floats:
    """Give the probability of being late of each row."""
    parts = [
        session.run(["probability"], feed(rows.iloc[i : i + batch_size], features))[0]
        for i in range(0, len(rows), batch_size)
    ]
    return np.concatenate(parts).astype("float64")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step."""
    parser = argparse.ArgumentParser(description="Evaluate the delay model on the test set.")
    parser.add_argument("--batch_size", type=int, default=8192, help="rows scored at a time")
    args = parser.parse_args(argv)

    model = Path(os.environ["SM_MODEL_DIR"])
    metadata: Metadata = json.loads((model / "metadata.json").read_text())
    session = onnxruntime.InferenceSession(
        (model / "model.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    test = pd.read_parquet(os.environ["SM_CHANNEL_TEST"])
    probability = predict(session, test, metadata["features"], args.batch_size)
    target = test[metadata["target"]].to_numpy(dtype="float64")

    report = measure(target, probability, metadata["threshold"], test[list(SLICED_BY)])
    text = json.dumps(report, indent=1, allow_nan=False)
    (Path(os.environ["SM_OUT_REPORT"]) / "evaluation.json").write_text(text)
    draw_all(report, target, probability, Path(os.environ["SM_OUT_PICTURES"]))
    print(f"test auc={report['auc']:.4f} log_loss={report['log_loss']:.4f} rows={report['rows']}")


if __name__ == "__main__":
    main()
