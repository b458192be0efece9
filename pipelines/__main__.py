"""`python -m pipelines`, and the console script: a command in a process of its own."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import NoReturn

from pipelines.cli.main import main


def run() -> NoReturn:
    """Run a command and end the process, without taking the interpreter's memory apart.

    Undoing hundreds of modules takes a fifth of what `validate` does. Threads are waited for and
    exit functions called as ever: what is left out stands behind the first of them. Where there
    are some already, of coverage or a profiler, nothing is left out.
    """
    gc.set_threshold(100_000, 50, 50)  # start-up makes many objects and next to no garbage
    # Pydantic would look for plugins in every installed package: about 10 ms, and none is for us.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code: int | str | None = 1

    def leave() -> None:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError):
            return  # closed, or nobody reads it: the interpreter has its own way to say so
        if isinstance(code, int):
            os._exit(code)

    if atexit._ncallbacks() == 0:  # noqa: SLF001 - the last one to be called is the first one here
        atexit.register(leave)
    try:
        main()
    except SystemExit as end:
        code = end.code
        raise


if __name__ == "__main__":
    run()
