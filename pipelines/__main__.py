"""`python -m pipelines`, and the console script: a command in a process of its own."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Final, NoReturn

_ROOM: Final = 16_384
"""Words of stack that every command has; `validate` and `compile` need a quarter of it."""


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
    from pipelines.cli.main import main  # noqa: PLC0415 - what it imports shall have the room, too

    try:
        main()
    except SystemExit as end:
        code = end.code
        raise


# The interpreter keeps the frames of calls in blocks of 16 KiB. It asks the system for the next
# block whenever calls pass the edge of one and gives it back on return: at an unlucky depth
# thousands of times, a tenth of `validate`. A block is made larger for a frame that needs more,
# so the outermost one asks for enough that all others lie in its block.
run.__code__ = run.__code__.replace(co_stacksize=_ROOM)

if __name__ == "__main__":
    run()
