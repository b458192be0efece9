"""The shape of Hugging Face scripts: logging to stdout, datasets in folders, an evaluation file."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--train_batch_size", type=int, default=32)
    parser.add_argument("--model_name", type=str)
    parser.add_argument("--learning_rate", type=str, default=5e-5)
    parser.add_argument("--output-data-dir", type=str, default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--n_gpus", type=str, default=os.environ["SM_NUM_GPUS"])
    parser.add_argument("--training_dir", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--test_dir", type=str, default=os.environ["SM_CHANNEL_TEST"])
    args, _ = parser.parse_known_args()
    logging.basicConfig(
        level=logging.getLevelName("INFO"),
        handlers=[logging.StreamHandler(sys.stdout)],
        format="%(asctime)s - %(name)s - %(levelname)s - %(message)s",
    )
    logger = logging.getLogger(__name__)
    data = {part: Path(folder, "data.json") for part, folder in
            (("train", args.training_dir), ("test", args.test_dir))}  # fmt: skip
    sizes = {part: len(json.loads(file.read_text())) for part, file in data.items()}
    logger.info("loaded train_dataset length is: %s", sizes["train"])
    logger.info("loaded test_dataset length is: %s", sizes["test"])
    result = {"eval_accuracy": 0.91, "epoch": args.epochs}
    lines = [f"{key} = {value}\n" for key, value in sorted(result.items())]
    Path(args.output_data_dir, "eval_results.txt").write_text("".join(lines))
    Path(args.model_dir, "config.json").write_text(json.dumps({"_name_or_path": args.model_name}))
