"""The training script as SageMaker starts it."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipelines.testing.jobs import Jobs


@pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the image brings transformers"
)
def test_the_trainer_learns_two_words(sagemaker_job: Jobs) -> None:
    """What it writes is a model that the Hugging Face image serves without code."""
    rows = [{"text": f"{word} soup", "label": int(word == "good")} for word in ("good", "bad")]
    channel = {"opinions.jsonl": "\n".join(map(json.dumps, rows * 40))}
    result = sagemaker_job.step("train", inputs={"train": channel, "test": channel}).run()
    assert result.exit_code == 0, result.failure
    assert result.metrics("accuracy")[-1] == 1
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {
        file.name for file in result.model.iterdir()
    }
