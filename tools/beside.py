"""Run the checks beside the tests, and say in the end which of them failed.

    python -m tools.beside CHECK-COMMAND… -- TEST-COMMAND…

The tests have the terminal. What the checks print is kept until they have ended and then shown in
one piece, so that who waits for the tests reads at once that a check failed. It exits 1 when either
failed.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Final

from tools.children import ended_with_us

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


def run(checks: tuple[str, ...], tests: tuple[str, ...]) -> int:
    """Run both to their ends; return 1 if one of them failed. Ctrl-C and SIGTERM end both."""
    with ended_with_us() as children:
        kept = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        process = children.start(checks, stdin=subprocess.DEVNULL, **kept)
        shown = threading.Thread(target=_show, args=(process,))
        shown.start()
        results = {"tests": children.start(tests).wait()}
        shown.join()
    results = {"checks": process.returncode, **results}
    sys.stdout.write("\n".join(_verdict(*result) for result in results.items()) + "\n")
    return int(any(results.values()))


if __name__ == "__main__":
    middle = sys.argv.index("--")
    sys.exit(run(tuple(sys.argv[1:middle]), tuple(sys.argv[middle + 1 :])))
