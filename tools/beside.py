"""Run the checks beside the tests, and say in the end which of them failed.

    python tools/beside.py CHECK-COMMAND… -- TEST-COMMAND…

The tests have the terminal. What the checks print is kept until they have ended and then shown in
one piece, so that who waits for the tests reads at once that a check failed. It exits 1 when either
failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Final

_WIDTH: Final = 80


def _heading(text: str) -> str:
    return f"\n{f' {text} ':=^{_WIDTH}}\n"


def _verdict(name: str, exit_code: int) -> str:
    return f"{name}: " + ("ok" if exit_code == 0 else f"FAILED with {exit_code}")


def _show(checks: subprocess.Popen[str]) -> None:
    """Print what the checks said, once they have ended; nothing where they were killed."""
    said, _ = checks.communicate()
    if checks.returncode >= 0:
        result = _verdict("checks", checks.returncode)
        sys.stdout.write(f"{_heading(result)}{said}{_heading('end of the checks')}")
        sys.stdout.flush()


def run(checks: list[str], tests: list[str]) -> int:
    """Run both to their ends; return 1 if one of them failed. Ctrl-C and SIGTERM end both."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    process = subprocess.Popen(
        checks,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    shown = threading.Thread(target=_show, args=(process,))
    shown.start()
    try:
        of_tests = subprocess.run(tests, check=False).returncode
        shown.join()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        shown.join()
    results = {"checks": process.returncode, "tests": of_tests}
    sys.stdout.write("\n".join(_verdict(*result) for result in results.items()) + "\n")
    return int(any(results.values()))


if __name__ == "__main__":
    middle = sys.argv.index("--")
    sys.exit(run(sys.argv[1:middle], sys.argv[middle + 1 :]))
