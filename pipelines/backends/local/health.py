"""What this machine brings for local runs: isolation, Python, the packages that steps use."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from pipelines.backends.local.jobs import isolation
from pipelines.frozen import frozen

_EXTRAS = (
    ("aws", ("boto3",), "talking to an account"),
    ("serve", ("boto3", "httptools", "uvicorn", "uvloop"), "the local SageMaker's API"),
    ("validation", ("great-expectations", "pandas", "pyarrow"), "validation steps"),
)
_DISTRIBUTION = "sagemaker-pipelines-as-code"


@frozen
class Fact:
    """Something found here: its subject, what is there, what to do where something is absent."""

    subject: str
    text: str
    remedy: str | None = None


def facts() -> Iterator[Fact]:
    """Look at this machine."""
    yield Fact("python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    report = isolation.probe()
    yield Fact("isolation", f"{report.which}: {report.why}")
    torch = _version("torch")
    yield Fact("torch", torch or "not installed", None if torch else "training steps may need it")
    for extra, packages, use in _EXTRAS:
        absent = [package for package in packages if _version(package) is None]
        if absent:
            remedy = f"for {use}: pip install '{_DISTRIBUTION}[{extra}]'"
            yield Fact(f"extra {extra}", f"without {', '.join(absent)}", remedy)
        else:
            yield Fact(f"extra {extra}", "installed")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
