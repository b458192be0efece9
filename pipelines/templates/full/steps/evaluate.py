"""A model and the test rows → `evaluation.json`: `auc`, `accuracy`, `rows`.

Input `test` in SM_CHANNEL_TEST, the model in SM_MODEL_DIR; the report goes to SM_OUT_REPORT. A
condition of the pipeline reads it, and the model registry keeps it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score


def predict(model: Path, rows: pd.DataFrame) -> np.ndarray:
    """Return the probability of `male` of each row."""
    session = onnxruntime.InferenceSession(str(model / "model.onnx"))
    inputs = {
        one.name: rows[[one.name]].to_numpy(object if "string" in one.type else np.float32)
        for one in session.get_inputs()
    }
    return np.asarray(session.run(["probability"], inputs)[0])


def main() -> None:
    """Run the step."""
    rows = pd.read_csv(Path(os.environ["SM_CHANNEL_TEST"], "rows.csv"))
    probability = predict(Path(os.environ["SM_MODEL_DIR"]), rows)
    report = {
        "auc": float(roc_auc_score(rows["male"], probability)),
        "accuracy": float(accuracy_score(rows["male"], probability >= 0.5)),
        "rows": len(rows),
    }
    Path(os.environ["SM_OUT_REPORT"], "evaluation.json").write_text(json.dumps(report, indent=1))
    print(f"test auc={report['auc']:.4f} accuracy={report['accuracy']:.4f}")


if __name__ == "__main__":
    main()
