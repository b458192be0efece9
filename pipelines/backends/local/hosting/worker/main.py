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
from .located import OWN, STUB, ServingCode
from .own import OwnServer, Stub
from .runtime.server import ServerError


def main(arguments: list[str]) -> None:
    """Serve until the other side closes.

    The arguments are SERVER CODE PROGRAM MODEL_DIR KEPT PROJECT ADDRESS: SERVER is a framework,
    whose toolkit calls the code, or `tensorflow-serving`; some do without a PROGRAM. That of `own`
    is the server's, and that of `stub` the reason for it.
    """
    server, folder, program, model_dir, kept, project, address = arguments
    code = ServingCode(folder, program)
    problem = prepared(code) if code.folder else None
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(address)
        (offers,) = socket.recv_fds(channel, 1, 1)[1]
        with socket.socket(fileno=offers) as numbers:
            serve(channel, problem or loaded(server, code, model_dir, (kept, project)), numbers)


def loaded(
    server: str, code: ServingCode, model_dir: str, told: tuple[str, str]
) -> RequestHandler | str:
    """Load the model; return the reason if that fails.

    Args:
        server: what calls the code.
        code: the serving code.
        model_dir: the folder of the model.
        told: where a copy of the code is kept when it fails, and the user's project.
    """
    report = FailureReport(code.folder, *told)
    try:
        if server in (OWN, STUB):
            return OwnServer(code.program) if server == OWN else Stub(code.program)
        if server == "tensorflow-serving":
            from .tensorflow import load_saved_models  # noqa: PLC0415 - of one image only

            return load_saved_models(report, code.program, model_dir)
        return load(report, code.program, model_dir, server)
    except ServerError as error:  # its output is in the log
        return str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code
        report.write()
        return one_line(error)


def prepared(code: ServingCode) -> str | None:
    """Continue in an interpreter that has code/requirements.txt installed, as the toolkits do.

    Return the reason if that fails.
    """
    file = Path(code.folder, "requirements.txt")
    if not file.is_file():
        return None
    from .runtime.errors import JobError  # noqa: PLC0415 - loaded by boot.py
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
