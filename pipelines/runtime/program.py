"""`python -m pipelines.runtime.program job.json` → a call of the built-in program."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from .bundle import parse_job
from .errors import MARK, JobError
from .layout import Layout


def main() -> int:
    """Call `pipelines.programs.<program>.main.main(config, layout)`; its int is the exit code.

    A JobError is written without a traceback: its message is for the user.
    """
    job = parse_job(Path(sys.argv.pop(1)).read_bytes())
    module = importlib.import_module(f"pipelines.programs.{job.program}.main")
    try:
        result = module.main(job.config, Layout.from_environment(os.environ, job.job))
    except JobError as error:
        print(f"{MARK}{error}", file=sys.stderr, flush=True)
        return error.exit_code
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
