"""What a bundle's `__main__.py` is: the start of every job."""

from __future__ import annotations

import sys

sys.path.insert(0, sys.path[0] + "/tool")

from pipelines.runtime.job import run

sys.exit(run(sys.path[1]))
