"""The process of one model server: load the user's code and the model, then serve over HTTP."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from pathlib import Path

from .failures import FailureReport
from .handler import load, one_line
from .http import RequestHandler, serve


def main(arguments: list[str]) -> None:
    """Serve until the other side closes.

    The arguments are SERVER CODE PROGRAM MODEL_DIR KEPT PROJECT ADDRESS: SERVER is a framework,
    whose toolkit calls the code, or `tensorflow-serving`, which does without a PROGRAM.
    """
    server, code, program, model_dir, kept, project, address = arguments
    report = FailureReport(code, kept, project)
    problem = _install_requirements(Path(code))
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(address)
        serve(channel, problem or _loaded(server, report, program, model_dir))


def _loaded(
    server: str, report: FailureReport, program: str, model_dir: str
) -> RequestHandler | str:
    """Load the model; return the reason if that fails."""
    try:
        if server == "tensorflow-serving":
            from .tensorflow import load_saved_models  # noqa: PLC0415 - of one image only

            return load_saved_models(report, program, model_dir)
        return load(report, program, model_dir, server)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
        report.write()
        return one_line(error)


def _install_requirements(code: Path) -> str | None:
    """Continue in an interpreter that has code/requirements.txt installed, as the toolkits do.

    Return the reason if that fails.
    """
    file = code / "requirements.txt"
    if not file.is_file():
        return None
    from .runtime.errors import JobError  # noqa: PLC0415 - loaded by container.py
    from .runtime.requirements import RequirementSet, interpreter  # noqa: PLC0415 - as above

    lines = tuple(file.read_text(encoding="utf-8").splitlines())
    try:
        python = interpreter(RequirementSet(lines, None, None, isolated=False))
    except JobError as error:
        traceback.print_exc()
        return one_line(error)
    if str(python) != sys.executable:
        os.execv(str(python), [str(python), *sys.orig_argv[1:]])  # noqa: S606 - the same arguments again
    return None
