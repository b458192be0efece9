"""One command at this process's terminal, for `debug`: it reads stdin, and Ctrl-C is its own.

A step of several processes or hosts has one here.
"""

from __future__ import annotations

import json
import os
import signal

from .bundle import Job
from .child import TERMINAL_VARIABLE, Command, Ended
from .descendants import end_descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

_ALONE = {
    "RANK": "0",
    "LOCAL_RANK": "0",
    "WORLD_SIZE": "1",
    "LOCAL_WORLD_SIZE": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}
"""What a launcher would tell the only process of a job."""


def run(job: Job, command: Command) -> Ended:
    """Run a command to its end; what it writes goes where this process writes."""
    interrupt = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    pid = os.fork()
    if pid == 0:
        _become(_words(job, command), _environment(job, command), command)
    try:
        status = os.waitpid(pid, 0)[1]
    finally:
        end_descendants(pid)
        signal.signal(signal.SIGINT, interrupt)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return Ended(code, "", None)


def _words(job: Job, command: Command) -> list[str]:
    """Return the command with what belongs between Python and a script."""
    python, *rest = command.argv
    between = json.loads(os.environ[TERMINAL_VARIABLE])
    return [python, *between, *rest] if job.script and not job.command else [python, *rest]


def _environment(job: Job, command: Command) -> Mapping[str, str]:
    alone = _ALONE if job.distribution else {}
    both = {**command.environment, **alone}
    return {name: value for name, value in both.items() if name != TERMINAL_VARIABLE}


def _become(words: list[str], environment: Mapping[str, str], command: Command) -> None:
    """Turn the forked child into the command; never returns."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(command.working)
        os.execvpe(words[0], words, environment)  # noqa: S606 - deliberately without a shell
    except OSError as error:
        os.write(2, f"cannot start {words[0]}: {error}\n".encode())
    finally:
        os._exit(127)
