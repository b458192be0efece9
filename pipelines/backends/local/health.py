"""What this machine provides for local runs: isolation, Python, the packages that steps use."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from pipelines.backends.local.jobs import isolation
from pipelines.extras import how_to_install, missing
from pipelines.frozen import frozen

_USES = {
    "aws": "calls to an account",
    "serve": "the local SageMaker's API",
    "validation": "validation steps",
}


@frozen
class MachineFact:
    """A finding: its subject, what was found, and what to do if something is missing."""

    subject: str
    text: str
    remedy: str | None = None


def machine_facts() -> Iterator[MachineFact]:
    """Examine this machine."""
    yield MachineFact("python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    report = isolation.probe()
    yield MachineFact("isolation", f"{report.which}: {report.why}")
    torch = _version("torch")
    yield MachineFact(
        "torch", torch or "not installed", None if torch else "training steps may need it"
    )
    for extra, use in _USES.items():
        if lacking := missing(extra):
            remedy = f"for {use}: {how_to_install(extra)}"
            yield MachineFact(f"extra {extra}", f"without {', '.join(lacking)}", remedy)
        else:
            yield MachineFact(f"extra {extra}", "installed")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
