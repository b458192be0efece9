"""Start an interpreter of a local job with no more modules than it would find in its image.

Hidden is what is installed from the project itself: `pip install -e .` lends a job every module of
it; in the account only the bundle's are there. Withheld, with `run --strict-requirements`, is every
module of the tool's environment that neither the image nor the requirements bring. Python imports
this module at its start, because its folder stands on PYTHONPATH.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType, TracebackType

_PROJECT = "PIPELINES_PROJECT"
_LENT = "PIPELINES_LENT"


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


class LentFinder(PathFinder):
    """Finds modules on `sys.path` as `PathFinder` does, but of the environment only those lent."""

    def __init__(self, names: Iterable[str], folders: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._folders = tuple(os.path.join(os.path.realpath(folder), "") for folder in folders)
        self._withheld: set[str] = set()

    def find_spec(  # type: ignore[override]  # `PathFinder` has a method of the class
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find a module; None where it is withheld."""
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or path is not None or fullname.lower() in self._names:
            return spec
        places = [spec.origin or "", *(spec.submodule_search_locations or ())]
        if any(os.path.realpath(place).startswith(self._folders) for place in places):
            self._withheld.add(fullname)
            return None
        return spec

    def explain(self, image: str, error: BaseException) -> None:
        """Say of an error that ends the job why the module is not there."""
        name = getattr(error, "name", None)
        if name in self._withheld and hasattr(error, "add_note"):
            error.add_note(
                f"`{name}` is installed here, but neither {image} nor the requirements of the step"
                " bring it: list it there"
            )


def _restrict(file: str) -> None:
    with open(file, encoding="utf-8") as stream:
        lent = json.load(stream)
    finder = LentFinder(lent["modules"], lent["folders"])
    sys.meta_path[:] = [finder if one is PathFinder else one for one in sys.meta_path]
    then = sys.excepthook

    def explained(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        finder.explain(lent["image"], error)
        then(kind, error, traceback)

    sys.excepthook = explained


def _run_the_next() -> None:
    """Import the `sitecustomize` that stands behind this one, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = [os.path.abspath(path) for path in sys.path]
    behind = sys.path[places.index(here) + 1 :] if here in places else []
    spec = PathFinder.find_spec("sitecustomize", behind)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if os.environ.get(_PROJECT):
    _hide(os.path.realpath(os.environ[_PROJECT]))
_run_the_next()
if os.environ.get(_LENT):
    _restrict(os.environ[_LENT])
