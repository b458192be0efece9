"""The shape of processing scripts: fixed paths below /opt/ml/processing, one split of a file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-test-split-ratio", type=float, default=0.3)
    args, _ = parser.parse_known_args()
    base = Path("/opt/ml/processing")
    header, *rows = (base / "input" / "abalone.csv").read_text().splitlines()
    count = round(len(rows) * (1 - args.train_test_split_ratio))
    for part, some in (("train", rows[:count]), ("test", rows[count:])):
        (base / part / f"{part}.csv").write_text("\n".join((header, *some)))
    (base / "evaluation" / "evaluation.json").write_text(json.dumps({"rows": len(rows)}))
