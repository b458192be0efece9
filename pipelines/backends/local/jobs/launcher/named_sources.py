"""`python named_sources.py PROJECT SCRIPT …`: run a script whose code is named as in the project.

The bundle's copy runs, in the job's working directory; tracebacks, `breakpoint()` and debuggers
name the project's file where it is the same. Where `PIPELINES_DEBUGGER_PORT` names a port, the
script begins when a debugger has attached there. A program of its own, on the standard library.
"""

from __future__ import annotations

import filecmp
import importlib
import os
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import Any

PORT_VARIABLE = "PIPELINES_DEBUGGER_PORT"


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
    port = os.environ.pop(PORT_VARIABLE, None)
    if port is not None:
        _wait_for_debugger(int(port))
    sys.modules["__main__"] = module
    exec(code, module.__dict__)  # noqa: S102 - this is what Python does with a script


def _wait_for_debugger(port: int) -> None:
    """Wait; what is printed tells an editor that it can attach."""
    debugpy: Any = importlib.import_module("debugpy")
    debugpy.listen(("127.0.0.1", port))
    sys.stdout.write(f"waiting for a debugger at 127.0.0.1:{port}\n")
    sys.stdout.flush()
    debugpy.wait_for_client()


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
