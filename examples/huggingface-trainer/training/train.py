"""A tiny transformer made on the spot, trained by the Trainer: nothing is downloaded.

The script has the shape of those for SageMaker's Hugging Face estimator. With a model of the Hub
`from_pretrained` stands in the place of `tiny_tokenizer` and `tiny_model`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LENGTH = 16


class Opinions(torch.utils.data.Dataset):
    """Texts as token ids, with their labels."""

    def __init__(self, rows: list[dict], tokenizer: PreTrainedTokenizerFast) -> None:
        texts = [row["text"] for row in rows]
        self.tokens = tokenizer(texts, padding="max_length", truncation=True, max_length=LENGTH)
        self.labels = [row["label"] for row in rows]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        one = {name: torch.tensor(values[index]) for name, values in self.tokens.items()}
        return {**one, "labels": torch.tensor(self.labels[index])}


def read(folder: str) -> list[dict]:
    """Read the JSON lines of a channel."""
    files = sorted(Path(folder).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def tiny_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """Learn the words of the texts."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))  # noqa: S106 - a word, no secret
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=SPECIAL))
    names = {f"{word.strip('[]').lower()}_token": word for word in SPECIAL}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_input_names=["input_ids", "attention_mask"], **names
    )


def tiny_model(words: int) -> DistilBertForSequenceClassification:
    """Return a transformer of one layer, with random weights."""
    config = DistilBertConfig(
        vocab_size=words,
        max_position_embeddings=LENGTH,
        dim=32,
        hidden_dim=64,
        n_layers=1,
        n_heads=2,
        id2label={0: "bad", 1: "good"},
        label2id={"bad": 0, "good": 1},
    )
    return DistilBertForSequenceClassification(config)


def accuracy(predicted: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Return the share of right answers."""
    logits, labels = predicted
    return {"accuracy": float((np.argmax(logits, axis=-1) == labels).mean())}


def main() -> None:
    """Train, print the metrics, and keep model and tokenizer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--train-batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--model-dir", default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--test", default=os.environ.get("SM_CHANNEL_TEST"))
    args = parser.parse_args()
    torch.manual_seed(7)
    rows, test = read(args.train), read(args.test)
    tokenizer = tiny_tokenizer([row["text"] for row in rows])
    trainer = Trainer(
        model=tiny_model(len(tokenizer)),
        args=TrainingArguments(
            output_dir="/tmp/checkpoints",  # noqa: S108 - the job's own
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.train_batch_size,
            learning_rate=args.learning_rate,
            save_strategy="no",
            report_to="none",
        ),
        train_dataset=Opinions(rows, tokenizer),
        eval_dataset=Opinions(test, tokenizer),
        compute_metrics=accuracy,
    )
    trainer.train()
    print(trainer.evaluate())
    trainer.save_model(args.model_dir)
    tokenizer.save_pretrained(args.model_dir)


if __name__ == "__main__":
    main()
