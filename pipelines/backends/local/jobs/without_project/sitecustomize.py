"""Start an interpreter of a local job without what is installed from the project itself.

`pip install -e .` lends a job every module of the project; in the account only the bundle's are
there. Python imports this module at its start, because its folder stands on PYTHONPATH.
"""

from __future__ import annotations

import os
import sys

_PROJECT = "PIPELINES_PROJECT"


def _hide(project: str) -> None:
    """Remove the project's folders from where modules are found; keep environments in it."""
    kept = [os.path.realpath(sys.prefix), os.path.join(project, ".pipelines")]

    def is_hidden(path: str) -> bool:
        real = os.path.realpath(path)
        return _is_below(real, project) and not any(_is_below(real, one) for one in kept)

    sys.path[:] = [path for path in sys.path if not path or not is_hidden(path)]
    for finder in sys.meta_path:  # setuptools finds editable installations by a table
        module = sys.modules.get(getattr(finder, "__module__", ""))
        table = getattr(module, "MAPPING", None)
        if isinstance(table, dict):
            for name in [name for name, place in table.items() if is_hidden(str(place))]:
                del table[name]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def _run_the_next() -> None:
    """Import the `sitecustomize` that stands behind this one, if there is one."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.abspath(__file__))
    places = [os.path.abspath(path) for path in sys.path]
    behind = sys.path[places.index(here) + 1 :] if here in places else []
    spec = PathFinder.find_spec("sitecustomize", behind)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if os.environ.get(_PROJECT):
    _hide(os.path.realpath(os.environ[_PROJECT]))
    _run_the_next()
