"""Shared with steps."""

import onnxruntime  # E: SP408

NAMES = str(onnxruntime)
