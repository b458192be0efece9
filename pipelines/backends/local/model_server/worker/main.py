"""The process of one model server: load the user's code and the model, then answer over HTTP."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from pathlib import Path

from .handler import Handler, load, one_line
from .http import serve


def main(arguments: list[str]) -> None:
    """Serve: CODE PROGRAM MODEL_DIR ADDRESS, until the other side hangs up."""
    code, program, model_dir, address = arguments
    unmet = _meet_requirements(Path(code))
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(address)
        serve(channel, unmet or _loaded(code, program, model_dir))


def _loaded(code: str, program: str, model_dir: str) -> Handler | str:
    """Load the model; a text says why that failed."""
    try:
        return load(code, program, model_dir)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
        traceback.print_exc()
        return one_line(error)


def _meet_requirements(code: Path) -> str | None:
    """Go on in an interpreter that has what code/requirements.txt asks for, as the toolkits do.

    A text says why there is none.
    """
    file = code / "requirements.txt"
    if not file.is_file():
        return None
    from .runtime.errors import JobError  # noqa: PLC0415 - put there by container.py
    from .runtime.requirements import Wanted, interpreter  # noqa: PLC0415 - as above

    lines = tuple(file.read_text(encoding="utf-8").splitlines())
    try:
        python = interpreter(Wanted(lines, None, None, isolated=False))
    except JobError as error:
        traceback.print_exc()
        return one_line(error)
    if str(python) != sys.executable:
        os.execv(str(python), [str(python), *sys.orig_argv[1:]])  # noqa: S606 - the same again
    return None
