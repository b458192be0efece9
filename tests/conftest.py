"""What all tests share: the option that rewrites goldens, and how hypothesis runs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# Machines are noisy: a property says what is right, never how fast.
settings.register_profile("noisy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write what the goldens should be instead of comparing with them.",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Tell whether goldens are to be rewritten."""
    return bool(request.config.getoption("--update-golden"))
