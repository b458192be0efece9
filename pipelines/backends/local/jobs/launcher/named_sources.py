"""`python named_sources.py PROJECT SCRIPT …`: run a script whose code is named as in the project.

The bundle's copy runs, in the job's working directory; tracebacks, `breakpoint()` and debuggers
name the project's file where it is the same. A program of its own, on the standard library only.
"""

from __future__ import annotations

import filecmp
import os
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import Any


def main() -> None:
    """Run the script as `__main__`."""
    project, script = sys.argv[1:3]
    sys.argv[:] = sys.argv[2:]
    sys.path[0] = os.path.dirname(script)  # noqa: PTH120 - no pathlib to import
    sys.excepthook = _without_this_file
    named = _Names(os.getcwd(), project)  # noqa: PTH109 - as above
    compile_source: Any = SourceFileLoader.source_to_code

    def source_to_code(loader: SourceFileLoader, data: Any, path: str, **options: Any) -> Any:
        return compile_source(loader, data, named.of(path), **options)

    SourceFileLoader.source_to_code = source_to_code  # type: ignore[assignment,method-assign]  # for this process
    module = types.ModuleType("__main__")
    module.__file__ = script
    module.__dict__["__builtins__"] = __builtins__
    with open(script, "rb") as file:  # noqa: PTH123 - as above
        code = compile(file.read(), named.of(script), "exec", dont_inherit=True)
    sys.modules["__main__"] = module
    exec(code, module.__dict__)  # noqa: S102 - this is what Python does with a script


class _Names:
    """The names of a bundle's files in the project."""

    def __init__(self, code: str, project: str) -> None:
        self._code = code + os.sep
        self._project = project

    def of(self, path: str) -> str:
        if not path.startswith(self._code):
            return path
        own = os.path.join(self._project, path[len(self._code) :])  # noqa: PTH118 - as above
        same = os.path.isfile(own) and filecmp.cmp(path, own, shallow=False)  # noqa: PTH113 - as above
        return own if same else path


def _without_this_file(
    kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
) -> None:
    """Print a traceback that begins in the script."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)


if __name__ == "__main__":
    main()
