"""What all tests share: goldens' option, hypothesis, Ctrl-C, long tests, bytecode."""

from __future__ import annotations

import compileall
import gc
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.durations import Durations
from tests.everything import EVERYTHING

# In a background job of a shell SIGINT is ignored, and so it would be in the processes of tests.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines are noisy: a property says what is right, never how fast.
settings.register_profile(
    "noisy",
    deadline=None,
    max_examples=200 if EVERYTHING else 50,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("noisy")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-golden`."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="Write what the goldens should be instead of comparing with them.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Report long tests, in the process that prints, and compile the package before all tests.

    Where PYTHONDONTWRITEBYTECODE is set, each process that a test starts would compile it again.
    """
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations())
        compileall.compile_dir(Path(__file__).parents[1] / "pipelines", quiet=2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Let one worker run the tests that share something costly."""
    if config.getoption("dist") != "loadgroup":
        return None
    from tests.grouping import GroupScheduling  # noqa: PLC0415 - only where there are workers

    return GroupScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run slow tests first, so that no worker waits for one at the end; the rest stays random.

    Those of `make everything` are left out of all other runs.

    Slow tests do not count for coverage: they run the lines of other tests, and tracing makes that
    two to four times as long.
    """
    if not EVERYTHING:
        left_out = [item for item in items if item.get_closest_marker("everything") is not None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    slow = {item for item in items if any(map(item.get_closest_marker, ("slow", "everything")))}
    for item in slow:
        item.add_marker("no_cover")
    items.sort(key=lambda item: item not in slow)


def pytest_collection_finish() -> None:
    """Keep the garbage collector from visiting all modules and tests again during each test.

    What the tests share stays alive, too, such as botocore's models: as in the tool's own process,
    there is little garbage, and a collection a fiftieth as often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(35_000, 20, 50)


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Return whether goldens are rewritten instead of compared."""
    return bool(request.config.getoption("--update-golden"))
