"""Which modules the standard library of a Python has, and from which version to which.

Read from the standard libraries of Python 3.6 to 3.13, their submodules included; 3.14 from its
"What's New". A test compares them with the interpreters of the machine.
"""

from __future__ import annotations

import itertools
import sys
from typing import Final, TypeAlias

Python: TypeAlias = tuple[int, int]

NEW: Final[dict[str, Python]] = {
    "annotationlib": (3, 14),
    "asyncio.taskgroups": (3, 11),
    "asyncio.threads": (3, 9),
    "asyncio.timeouts": (3, 11),
    "compression": (3, 14),
    "concurrent.interpreters": (3, 14),
    "contextvars": (3, 7),
    "dataclasses": (3, 7),
    "dbm.sqlite3": (3, 13),
    "graphlib": (3, 9),
    "importlib.metadata": (3, 8),
    "importlib.resources": (3, 7),
    "importlib.resources.abc": (3, 11),
    "multiprocessing.shared_memory": (3, 8),
    "pathlib.types": (3, 14),
    "string.templatelib": (3, 14),
    "tomllib": (3, 11),
    "wsgiref.types": (3, 11),
    "zoneinfo": (3, 9),
}
"""Module → the first version that has it."""

_DEAD_BATTERIES: Final = (
    "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib ossaudiodev "
    "pipes sndhdr spwd sunau telnetlib uu xdrlib"
)

REMOVED: Final[dict[str, Python]] = {
    "macpath": (3, 8),
    "dummy_threading": (3, 9),
    "formatter": (3, 10),
    "parser": (3, 10),
    "symbol": (3, 10),
    "binhex": (3, 11),
    "asynchat": (3, 12),
    "asyncore": (3, 12),
    "distutils": (3, 12),
    "imp": (3, 12),
    "smtpd": (3, 12),
    **dict.fromkeys(_DEAD_BATTERIES.split(), (3, 13)),
}
"""Module → the first version without it (PEP 594)."""

_SINCE_EVER: Final = (sys.stdlib_module_names | {"__main__"}) - NEW.keys() - REMOVED.keys()


def is_standard(module: str) -> bool:
    """Return whether any Python 3 has a module in its standard library, by its top name."""
    return module in _SINCE_EVER or module in NEW or module in REMOVED


def lacking(names: tuple[str, ...], python: Python) -> str | None:
    """Return how a Python lacks one of these modules, as `tomllib` "is new in Python 3.11".

    Args:
        names: dotted names.
        python: the version, as (3, 12).
    """
    for name in names:
        for module in itertools.accumulate(name.split("."), "{}.{}".format):
            if python < NEW.get(module, python):
                return f"`{module}` is new in Python {_written(NEW[module])}"
            if python >= REMOVED.get(module, (4, 0)):
                return f"`{module}` is not in Python {_written(REMOVED[module])} and newer"
    return None


def _written(python: Python) -> str:
    return "{}.{}".format(*python)
