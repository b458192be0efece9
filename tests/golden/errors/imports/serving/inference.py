"""Answers."""

# ruff: noqa: D103, F401
from __future__ import annotations

import onnxruntime  # E: SP408
import sklearn
import torch.nn  # E: SP408


def input_handler(data: object, context: object) -> None: ...


def output_handler(response: object, context: object) -> None: ...
