"""What the standard library of a Python has: compared with the interpreters of this machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipelines.images.standard_library import NEW, REMOVED, is_standard, lacking
from tests.older_pythons import VERSIONS, interpreter

_MISSING = """
import importlib.util, sys
for name in sys.argv[1:]:
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    if found is None or "site-packages" in str(found.origin):
        print(name)
"""
_OTHER_SYSTEMS = {"msilib", "macpath"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_python_lacks_what_is_said_of_it(version: str) -> None:
    """The modules that are new in a later version or removed in an earlier one, and no others."""
    major, minor = map(int, version.split("."))
    asked = sorted({*NEW, *REMOVED} - _OTHER_SYSTEMS)
    found = subprocess.run(
        [interpreter(version), "-W", "ignore", "-c", _MISSING, *asked],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == [name for name in asked if lacking((name,), (major, minor))]


def test_this_python_lacks_what_is_said_of_it() -> None:
    """What the interpreter itself lists is what the table has for its version."""
    python = sys.version_info[:2]
    listed = {name for name in {*NEW, *REMOVED} if "." not in name} & sys.stdlib_module_names
    assert [name for name in listed if lacking((name,), python)] == []


@pytest.mark.parametrize(
    ("names", "python", "said"),
    [
        (("tomllib",), (3, 10), "`tomllib` is new in Python 3.11"),
        (("tomllib",), (3, 11), None),
        (("distutils.util",), (3, 12), "`distutils` is not in Python 3.12 and newer"),
        (("distutils.util",), (3, 11), None),
        (("importlib", "importlib.metadata"), (3, 7), "`importlib.metadata` is new in Python 3.8"),
        (("importlib", "importlib.util"), (3, 7), None),
        (("compression.zstd",), (3, 13), "`compression` is new in Python 3.14"),
        (("json.decoder",), (3, 7), None),
    ],
)
def test_the_version_decides(
    names: tuple[str, ...], python: tuple[int, int], said: str | None
) -> None:
    """By any of the names that a statement reads."""
    assert lacking(names, python) == said


def test_standard_modules_are_told_from_others() -> None:
    """Of any version of Python, whichever runs this."""
    assert all(map(is_standard, ("os", "tomllib", "distutils", "cgi", "annotationlib", "_thread")))
    assert not any(map(is_standard, ("numpy", "attr", "setuptools", "pkg_resources")))
