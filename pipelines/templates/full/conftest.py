"""Says to pytest where the project begins, wherever pytest is started.

This file's own folder goes on the import path, so that tests import `serving.inference`.
"""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def sagemaker_project() -> Path:
    """Scripts and data paths of `sagemaker_job` are relative to this folder."""
    return Path(__file__).parent
