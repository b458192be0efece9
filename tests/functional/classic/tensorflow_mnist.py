"""The shape of TensorFlow scripts: unknown arguments are passed over, a folder with a number."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path


def _parse_args() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model_dir", type=str)
    parser.add_argument("--sm-model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAINING"))
    parser.add_argument("--hosts", type=list, default=json.loads(os.environ.get("SM_HOSTS", "[]")))
    parser.add_argument("--current-host", type=str, default=os.environ.get("SM_CURRENT_HOST"))
    return parser.parse_known_args()


if __name__ == "__main__":
    args, unknown = _parse_args()
    settings = json.loads(os.environ["SM_HPS"])
    rows = [line.split(",") for line in Path(args.train, "train.csv").read_text().splitlines()]
    print(f"rows={len(rows)} unknown={unknown} dropout={settings['dropout']}")
    if args.current_host == args.hosts[0]:
        version = Path(args.sm_model_dir, "000000001")
        version.mkdir(parents=True)
        (version / "saved_model.pb").write_bytes(b"weights")
