"""Answers."""

# ruff: noqa: F401
from __future__ import annotations

import onnxruntime  # E: SP408
import sklearn
import torch.nn  # E: SP408
