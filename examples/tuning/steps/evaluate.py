"""The accuracy of the best model on rows that no trial has seen."""

import json
import os
from pathlib import Path

import joblib
import numpy as np


def main() -> None:
    """Write the report that the pipeline decides by."""
    model = joblib.load(Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
    rows = np.loadtxt(Path(os.environ["SM_CHANNEL_TEST"]) / "test.csv", delimiter=",")
    accuracy = float(model.score(rows[:, 1:], rows[:, 0]))
    report = Path(os.environ["SM_OUT_REPORT"]) / "evaluation.json"
    report.write_text(json.dumps({"accuracy": accuracy}))
    print(f"accuracy={accuracy:.4f}")


if __name__ == "__main__":
    main()
